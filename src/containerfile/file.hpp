// SPDX-License-Identifier: Apache-2.0
#pragma once

// The entry of this folder: the text of a Containerfile -> its stages with checked instructions. No I/O; nothing is
// expanded, no image is looked up.

#include "base/diagnostics.hpp"
#include "base/source_text.hpp"
#include "containerfile/instructions.hpp"
#include "containerfile/lexer.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace sheaf::containerfile {

struct Stage {
  From from;
  std::vector<Instruction> instructions;
};

struct File {
  std::shared_ptr<const SourceText> source;
  std::vector<Directive> directives;
  /// For `expand`: '\' or '`'.
  char escape = '\\';
  /// ARGs in front of the first FROM.
  std::vector<Arg> global_arguments;
  /// At least one; names differ.
  std::vector<Stage> stages;
};

/// Reports all mistakes and doubts in one go. Nothing if there is any error; warnings alone do no harm.
std::optional<File> parse(std::shared_ptr<const SourceText> source, Diagnostics& diagnostics);

} // namespace sheaf::containerfile
