// SPDX-License-Identifier: Apache-2.0
#pragma once

// A command as a value: one row of the table in command_table.cpp. The parser, the help, the man page and the shell
// completion are all made from these rows, so they cannot disagree.

#include "app/project.hpp"
#include "base/event.hpp"
#include "base/result.hpp"
#include "cli/interrupt.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::cli {

struct Option {
  /// Without dashes.
  std::string_view name;
  /// 0 if there is none.
  char letter = 0;
  /// What the value is called in the help, for example "DIR"; empty for a switch.
  std::string_view value;
  std::string_view help;
  /// May be given several times; `Invocation::values` has all of them.
  bool is_list = false;
};

/// Words after "--", or operands, that a command takes.
struct Operands {
  /// As in a usage line, for example "NAME" or "[-- COMMAND…]"; empty if none are taken.
  std::string_view usage;
  std::size_t least = 0;
  std::size_t most = 0;
};

class Invocation;

struct Command {
  /// "up", "layer list".
  std::string_view path;
  std::string_view summary;
  /// One or two paragraphs.
  std::string_view description;
  Operands operands;
  std::span<const Option> options;
  std::span<const std::string_view> examples;
  /// Returns the exit code, or the error that is printed.
  Result<int> (*run)(Invocation&);
};

/// What was asked for, and where answers go.
class Invocation {
public:
  /// Values by option name; a switch has the value "".
  std::map<std::string, std::string, std::less<>> options;
  /// Of options that may be given several times, all values in order.
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
  std::vector<std::string> operands;
  std::string store_root;
  EventSink* events = nullptr;
  Interrupts* interrupts = nullptr;

  bool has(std::string_view option) const { return options.contains(option); }
  std::optional<std::string> value(std::string_view option) const;
  std::vector<std::string> values(std::string_view option) const;
  std::stop_token stop() const { return interrupts->token(); }
  bool json() const { return has("json"); }
  /// --directory, --base, --agents, --layers, --strict.
  app::Choices choices() const;
  /// Writes the result: standard output is for results, standard error for everything else.
  static void print(std::string_view text);
  /// Whether all of it could be written.
  static Result<void> printed();

private:
  static inline int s_print_errno = 0;
};

/// Options that every command has.
std::span<const Option> common_options();
/// All commands, in the order of the help.
std::span<const Command> commands();
/// The row of "layer list"; nullptr if there is none.
const Command* find_command(std::string_view path);

} // namespace sheaf::cli
