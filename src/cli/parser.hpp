// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line: words to a command and its options, by the table. CLI11 does the splitting.

#include "base/result.hpp"
#include "cli/command.hpp"

#include <map>
#include <string>
#include <vector>

namespace sheaf::cli {

struct Parsed {
  /// nullptr: help for the whole program was asked for.
  const Command* command = nullptr;
  std::map<std::string, std::string, std::less<>> options;
  /// Of options that may be given several times.
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
  std::vector<std::string> operands;
};

/// `all` words without the program's name. `invalid` with "did you mean" for unknown commands and options.
Result<Parsed> parse(const std::vector<std::string>& all);

} // namespace sheaf::cli
