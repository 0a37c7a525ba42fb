// SPDX-License-Identifier: Apache-2.0
#include "cli/parser.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace sheaf::cli {
namespace {

/// Finds the command that the words begin with: "layer list" before "layer".
Result<const Command*> take_command(std::vector<std::string>& words) {
  for (const std::size_t length : {2U, 1U}) {
    if (words.size() < length) {
      continue;
    }
    const std::vector<std::string> front(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(length));
    if (const auto* command = find_command(joined(front, " "))) {
      words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(length));
      return command;
    }
  }
  if (words[0].starts_with('-')) {
    return Error(ErrorCode::invalid, fmt::format("'{}' stands before the command", words[0]))
        .with_hint("options come after the command: sheaf COMMAND [OPTIONS]");
  }
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    names.emplace_back(command.path);
  }
  const auto typed =
      words.size() > 1 && !words[1].starts_with('-') &&
              std::ranges::any_of(names, [&](const auto& name) { return name.starts_with(words[0] + " "); })
          ? words[0] + " " + words[1]
          : words[0];
  auto hint = did_you_mean(typed, names);
  return Error(ErrorCode::invalid, fmt::format("there is no command '{}'", typed))
      .with_hint(hint.empty() ? "'sheaf --help' lists the commands" : hint);
}

std::string flag_names(const Option& option) {
  return option.letter != 0 ? fmt::format("-{},--{}", option.letter, option.name) : fmt::format("--{}", option.name);
}

std::vector<Option> options_of(const Command& command) {
  std::vector<Option> options(command.options.begin(), command.options.end());
  options.insert(options.end(), common_options().begin(), common_options().end());
  return options;
}

Error bad_usage(const Command& command, const CLI::ParseError& error, const std::vector<std::string>& words) {
  std::vector<std::string> known;
  for (const auto& option : options_of(command)) {
    known.push_back(fmt::format("--{}", option.name));
  }
  auto help = fmt::format("'sheaf {} --help' shows the options", command.path);
  for (const auto& word : words) {
    const auto name = word.substr(0, word.find('='));
    if (name == "--") {
      break;
    }
    if (name.starts_with("--") && std::ranges::find(known, name) == known.end()) {
      const auto hint = did_you_mean(name, known);
      return Error(ErrorCode::invalid, fmt::format("'sheaf {}' has no option '{}'", command.path, name))
          .with_hint(hint.empty() ? help : hint);
    }
  }
  return Error(ErrorCode::invalid, fmt::format("sheaf {}: {}", command.path, error.what())).with_hint(help);
}

/// "--pull=true" is "--pull", and "--pull=false" is nothing, as docker has it: a switch of ours is there or not.
Result<void> settle_switches(const Command& command, std::vector<std::string>& words) {
  for (const auto& option : options_of(command)) {
    const auto start = fmt::format("--{}=", option.name);
    for (auto word = words.begin(); option.value.empty() && word != words.end();) {
      const auto value = word->starts_with(start) ? word->substr(start.size()) : std::string("true");
      if (value == "false" || value == "0") {
        word = words.erase(word);
        continue;
      }
      if (value != "true" && value != "1") {
        return Error(ErrorCode::invalid, fmt::format("'{}' is neither true nor false", *word))
            .with_hint(fmt::format("'--{}' alone says yes", option.name));
      }
      *word = word->starts_with(start) ? start.substr(0, start.size() - 1) : *word;
      ++word;
    }
  }
  return {};
}

Result<void> check_operands(const Command& command, const std::vector<std::string>& operands) {
  if (operands.size() < command.operands.least) {
    return Error(ErrorCode::invalid, fmt::format("'sheaf {}' needs {}", command.path, command.operands.usage))
        .with_hint(fmt::format("'sheaf {} --help' shows examples", command.path));
  }
  if (operands.size() > command.operands.most) {
    return Error(ErrorCode::invalid,
                 fmt::format("'sheaf {}' does not take '{}'", command.path, operands[command.operands.most]))
        .with_hint(fmt::format("'sheaf {} --help' shows the usage", command.path));
  }
  return {};
}

} // namespace

Result<Parsed> parse(const std::vector<std::string>& all) {
  auto words = all;
  Parsed parsed;
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    if (words.size() > 1 && words[0] == "help") {
      words.erase(words.begin());
      SHEAF_TRY_ASSIGN(parsed.command, take_command(words));
      parsed.options["help"] = "";
    }
    return parsed;
  }
  if (words[0] == "--version") {
    words[0] = "version";
  }
  SHEAF_TRY_ASSIGN(parsed.command, take_command(words));
  // What stands behind "--" is the user's command and none of our business.
  const auto dashes = std::ranges::find(words, "--");
  const std::vector<std::string> tail(dashes == words.end() ? dashes : dashes + 1, words.end());
  words.erase(dashes, words.end());

  SHEAF_TRY(settle_switches(*parsed.command, words));
  CLI::App app;
  app.set_help_flag();
  const auto options = options_of(*parsed.command);
  std::vector<std::vector<std::string>> values(options.size());
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].value.empty()) {
      app.add_flag(flag_names(options[i]));
    } else { // one value each time, or it would swallow the operands
      app.add_option(flag_names(options[i]), values[i])->allow_extra_args(false);
    }
  }
  app.add_option("operands", parsed.operands);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend()); // CLI11 takes them from the back
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return bad_usage(*parsed.command, error, words);
  }
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (app.count(fmt::format("--{}", options[i].name)) > 0) {
      parsed.options[std::string(options[i].name)] = values[i].empty() ? std::string() : values[i].back();
      if (options[i].is_list) {
        parsed.lists[std::string(options[i].name)] = values[i];
      }
    }
  }
  parsed.operands.insert(parsed.operands.end(), tail.begin(), tail.end());
  if (!parsed.options.contains("help")) {
    SHEAF_TRY(check_operands(*parsed.command, parsed.operands));
  }
  return parsed;
}

} // namespace sheaf::cli
