// SPDX-License-Identifier: Apache-2.0
#pragma once

// The entry of this folder: the text of a Containerfile -> its stages with checked instructions. No I/O; nothing is
// expanded, no image is looked up. Style and doubtful habits are found by `lint.hpp`.

#include "base/diagnostics.hpp"
#include "base/source_text.hpp"
#include "containerfile/check_directive.hpp"
#include "containerfile/instructions.hpp"
#include "containerfile/lexer.hpp"

#include <memory>
#include <optional>
#include <string>
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
  /// At least one. A name may be given twice; the later stage is the one that is meant after it, as in BuildKit.
  std::vector<Stage> stages;
  /// `# check=`, for `lint`.
  CheckDirective check;
  /// Empty lines within continued instructions, for `lint`.
  std::vector<Span> empty_continuations;
};

/// Reports all mistakes and doubts in one go. Nothing if there is any error; warnings alone do no harm.
std::optional<File> parse(std::shared_ptr<const SourceText> source, Diagnostics& diagnostics);

/// What an image's ONBUILD asks of the build that uses it.
struct Trigger {
  /// What the positions refer to.
  std::shared_ptr<const SourceText> source;
  /// Several for an ARG with several names, else one.
  std::vector<Instruction> instructions;
};

/// Reads one ONBUILD of an image's config; `name` is for messages, for example "ONBUILD of IMAGE". Nothing if there is
/// any error: not exactly one instruction, or one that cannot be a trigger.
std::optional<Trigger> parse_trigger(std::string name, std::string text, Diagnostics& diagnostics);

} // namespace sheaf::containerfile
