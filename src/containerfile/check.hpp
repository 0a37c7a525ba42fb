// SPDX-License-Identifier: Apache-2.0
#pragma once

// Gives one instruction its meaning: Node -> checked instructions. Rules that span instructions (stages, order) are in
// `file.hpp`.

#include "base/diagnostics.hpp"
#include "containerfile/ast.hpp"
#include "containerfile/instructions.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace sheaf::containerfile {

/// What the whole file says about each of its instructions.
struct CheckSettings {
  std::shared_ptr<const SourceText> source;
  char escape = '\\';
  /// `# sheaf: extensions`
  bool extensions = false;
};

/// Both members are empty if the instruction has mistakes.
struct CheckedNode {
  std::optional<From> from;
  /// Several for an ARG with several names, else one.
  std::vector<Instruction> instructions;
};

/// Reports every mistake in `node`.
CheckedNode check_node(const CheckSettings& settings, const Node& node, Diagnostics& diagnostics);

/// The keyword that `node` was most likely meant to have, its own if that is one; empty if nothing is near.
std::string likely_keyword(const Node& node);

} // namespace sheaf::containerfile
