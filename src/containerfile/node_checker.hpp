// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the checks of all instructions share: saying what is wrong, reading words, flags, commands and key-value pairs.
// Private to `check.cpp` and the files of the single instructions.

#include "containerfile/check.hpp"
#include "containerfile/flags.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sheaf::containerfile {

/// One instruction while it is checked. It borrows all three arguments.
class NodeChecker {
public:
  NodeChecker(const CheckSettings& settings, const Node& node, Diagnostics& diagnostics)
      : m_settings(settings), m_node(node), m_diagnostics(diagnostics), m_errors_before(diagnostics.error_count()) {}

  const Node& node() const { return m_node; }
  const CheckSettings& settings() const { return m_settings; }
  Diagnostics& diagnostics() { return m_diagnostics; }

  // --- the result

  void set_from(From from) { m_result.from = std::move(from); }
  void add(Instruction instruction) { m_result.instructions.push_back(std::move(instruction)); }
  /// Empty if anything was wrong.
  CheckedNode take_result();

  // --- saying what is wrong

  void error(Span span, std::string rule, std::string message, std::string hint = {});
  void warning(Span span, std::string rule, std::string message, std::string hint = {});
  /// True, and an error that the instruction needs `what`, if there are no arguments.
  bool missing_arguments(std::string_view what, std::string hint);
  /// Finds open quotes and braces before any variable is known.
  void check_expansion(const Word& word);

  // --- flags

  void read_flags() { m_flags = check_flags(m_settings.source, m_node, m_diagnostics); }
  /// The flag if it is given and not empty.
  std::optional<Word> flag(std::string_view name) const;
  /// The same, with its quotes and braces checked.
  std::optional<Word> expandable_flag(std::string_view name);
  std::vector<const Flag*> flags(std::string_view name) const;
  /// Of a flag that is true or false.
  std::optional<bool> truth(std::string_view name) const;
  /// `--chmod`, checked unless it has a variable.
  std::optional<Word> mode_flag();

  // --- pieces of instructions

  Origin origin() const;
  /// The words between blanks.
  std::vector<Word> words() const;
  std::vector<Word> json_words() const { return json_words(m_node.json); }
  std::vector<Word> json_words(const JsonArray& json) const;
  /// True if `json` is an array of strings. Arrays of other things are errors; what only looks like one is a warning
  /// that ends in `instead`.
  bool is_json(const JsonArray& json, std::string_view instead);
  /// The words of a JSON array, else those between blanks.
  std::vector<Word> words_or_json();
  /// A command in either form.
  std::variant<ShellCommand, ExecCommand> command() { return command(m_node.json, m_node.arguments_range); }
  std::variant<ShellCommand, ExecCommand> command(const JsonArray& json, Range range);
  /// The two sides of a '='; nothing if there is none.
  std::optional<KeyValue> name_and_value(Range word);

private:
  const CheckSettings& m_settings;
  const Node& m_node;
  Diagnostics& m_diagnostics;
  std::size_t m_errors_before;
  FlagValues m_flags;
  CheckedNode m_result;
};

/// True if `word` has a '$', so that what it says is known only when variables are.
inline bool has_variable(const Word& word) { return word.text.find('$') != std::string::npos; }

// The checks of the instructions; each adds what it found to the checker.
void check_from(NodeChecker& checker);        // check_stage.cpp
void check_arg(NodeChecker& checker);         // check_stage.cpp
void check_env(NodeChecker& checker);         // check_pairs.cpp
void check_label(NodeChecker& checker);       // check_pairs.cpp
void check_run(NodeChecker& checker);         // check_command.cpp
void check_cmd(NodeChecker& checker);         // check_command.cpp
void check_entrypoint(NodeChecker& checker);  // check_command.cpp
void check_shell(NodeChecker& checker);       // check_command.cpp
void check_healthcheck(NodeChecker& checker); // check_command.cpp
void check_copy(NodeChecker& checker);        // check_files.cpp
void check_add(NodeChecker& checker);         // check_files.cpp
void check_fetch(NodeChecker& checker);       // check_files.cpp
void check_snapshot(NodeChecker& checker);    // check_files.cpp
void check_workdir(NodeChecker& checker);     // check_config.cpp
void check_user(NodeChecker& checker);        // check_config.cpp
void check_volume(NodeChecker& checker);      // check_config.cpp
void check_expose(NodeChecker& checker);      // check_config.cpp
void check_stopsignal(NodeChecker& checker);  // check_config.cpp
void check_maintainer(NodeChecker& checker);  // check_config.cpp
void check_onbuild(NodeChecker& checker);     // check.cpp, it checks any instruction

} // namespace sheaf::containerfile
