// SPDX-License-Identifier: Apache-2.0
#pragma once

// The generic form of an instruction, before anyone knows what it means: keyword, flags, arguments. `check.hpp` gives
// it meaning; a formatter or a linter works on this.

#include "containerfile/json_array.hpp"
#include "containerfile/lexer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::containerfile {

/// `--name=value`
struct Flag {
  /// Without the dashes.
  Word name;
  /// Without quotes; nothing if there is no '='.
  std::optional<Word> value;
  Span span;
  /// Of the value, as offsets into the line, with its quotes; empty if there is none.
  Range value_range;
};

struct Node {
  /// Upper case, whatever the file says.
  Word keyword;
  Range keyword_range;
  std::vector<Flag> flags;
  /// As written, lines joined. Empty and just after the last word if there are none.
  Word arguments;
  /// `arguments` as offsets into `line`.
  Range arguments_range;
  /// What the arguments are as JSON; its ranges are offsets into `line`.
  JsonArray json;
  /// The text, and where it and the heredocs stand in the file.
  LogicalLine line;
};

/// Cannot fail: whatever is wrong with an instruction is found when it is checked.
Node parse_node(LogicalLine line);

} // namespace sheaf::containerfile
