// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <array>
#include <set>

namespace sheaf::cli {
namespace {

constexpr std::string_view k_about =
    "sheaf builds each layer of a development environment once, alone, on just what it\n"
    "needs, and joins any selection of layers into one environment in milliseconds.\n";

struct ExitCode {
  ErrorCode error;
  int code;
  std::string_view meaning;
};

constexpr std::array k_exit_codes = {
    ExitCode{ErrorCode::internal, 70, "a bug in sheaf, or an error of the system that fits nowhere else"},
    ExitCode{ErrorCode::invalid, 2, "the command line, a setting or a file has a mistake"},
    ExitCode{ErrorCode::failed_step, 3, "a command of a build step failed"},
    ExitCode{ErrorCode::conflict, 4, "the selected layers cannot be joined"},
    ExitCode{ErrorCode::not_found, 5, "something that was named does not exist"},
    ExitCode{ErrorCode::denied, 6, "a permission is missing"},
    ExitCode{ErrorCode::unsupported, 7, "this machine lacks something; see 'sheaf doctor'"},
    ExitCode{ErrorCode::busy, 8, "something is in use"},
    ExitCode{ErrorCode::no_space, 9, "the disk or a quota is full"},
    ExitCode{ErrorCode::corrupt, 10, "a file of the store is damaged"},
    ExitCode{ErrorCode::network, 11, "a download or upload failed"},
    ExitCode{ErrorCode::cancelled, 130, "stopped by a signal"},
};

std::string option_label(const Option& option) {
  return fmt::format("{}--{}{}{}", option.letter != 0 ? fmt::format("-{}, ", option.letter) : std::string("    "),
                     option.name, option.value.empty() ? "" : " ", option.value);
}

std::string option_rows(std::span<const Option> options) {
  std::string text;
  for (const auto& option : options) {
    text += fmt::format("  {:<24} {}\n", option_label(option), option.help);
  }
  return text;
}

std::string usage(const Command& command) {
  return fmt::format("sheaf {} [OPTIONS]{}{}", command.path, command.operands.usage.empty() ? "" : " ",
                     command.operands.usage);
}

/// `text` broken at blanks into lines of at most 80 columns.
std::string wrapped(std::string_view text) {
  std::string result;
  std::size_t column = 0;
  for (const auto word : split(text, ' ')) {
    if (column > 0 && column + word.size() + 1 > 80) {
      result += '\n';
      column = 0;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result + "\n";
}

/// Words that begin commands, each once: "up", "layer".
std::set<std::string> first_words() {
  std::set<std::string> words;
  for (const auto& command : commands()) {
    words.emplace(command.path.substr(0, command.path.find(' ')));
  }
  return words;
}

std::string option_words(const Command& command) {
  std::string text;
  for (const auto options : {command.options, common_options()}) {
    for (const auto& option : options) {
      text += fmt::format(" --{}", option.name);
    }
  }
  return text.substr(1);
}

std::string second_words(const std::string& first) {
  std::string text;
  for (const auto& command : commands()) {
    if (command.path.starts_with(first + " ")) {
      text += fmt::format(" {}", command.path.substr(first.size() + 1));
    }
  }
  return text.empty() ? text : text.substr(1);
}

std::string words_function() {
  std::string cases;
  for (const auto& first : first_words()) {
    if (const auto second = second_words(first); !second.empty()) {
      cases += fmt::format("    \"{}\") echo \"{}\" ;;\n", first, second);
    }
  }
  for (const auto& command : commands()) {
    cases += fmt::format("    \"{}\") echo \"{}\" ;;\n", command.path, option_words(command));
  }
  std::string firsts;
  for (const auto& word : first_words()) {
    firsts += word + " ";
  }
  return fmt::format("_sheaf_words() {{\n  case \"$1\" in\n    \"\") echo \"{}--help --version\" ;;\n{}  esac\n}}\n",
                     firsts, cases);
}

constexpr std::string_view k_bash_body = R"sh(_sheaf() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" words
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    # A word that makes no command is an operand or a value.
    if [ -n "$(_sheaf_words "${path:+$path }${COMP_WORDS[i]}")" ]; then
      path="${path:+$path }${COMP_WORDS[i]}"
    fi
  done
  words="$(_sheaf_words "$path")"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
)sh";

std::string fish_script() {
  std::string text = "complete -c sheaf -f\n";
  for (const auto& first : first_words()) {
    const auto* command = find_command(first);
    text += fmt::format("complete -c sheaf -n __fish_use_subcommand -a {} -d {}\n", first,
                        shell_quote(command != nullptr ? command->summary : std::string_view("more commands")));
    const auto words = second_words(first);
    for (const auto second : split(words, ' ')) {
      if (!second.empty()) {
        text += fmt::format("complete -c sheaf -n '__fish_seen_subcommand_from {}' -a {}\n", first, second);
      }
    }
  }
  for (const auto& command : commands()) {
    for (const auto options : {command.options, common_options()}) {
      for (const auto& option : options) {
        text += fmt::format("complete -c sheaf -n '__fish_seen_subcommand_from {}' -l {} -d {}\n",
                            command.path.substr(command.path.find(' ') + 1), option.name, shell_quote(option.help));
      }
    }
  }
  return text;
}

std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '-' ? std::string("\\-") : c == '\\' ? std::string("\\e") : std::string(1, c);
  }
  return escaped;
}

} // namespace

int exit_code(ErrorCode code) {
  for (const auto& row : k_exit_codes) {
    if (row.error == code) {
      return row.code;
    }
  }
  return 70;
}

std::string program_help() {
  std::string text = fmt::format("usage: sheaf COMMAND [OPTIONS]\n\n{}\ncommands:\n", k_about);
  for (const auto& command : commands()) {
    text += fmt::format("  {:<14} {}\n", command.path, command.summary);
  }
  text += fmt::format("\noptions of every command:\n{}", option_rows(common_options()));
  text += "\n'sheaf COMMAND --help' shows a command's options and examples; 'sheaf man | man -l -' is the manual.\n";
  return text;
}

std::string command_help(const Command& command) {
  std::string text = fmt::format("usage: {}\n\n{}", usage(command), wrapped(fmt::format("{}.", command.summary)));
  if (!command.description.empty()) {
    text += "\n" + wrapped(command.description);
  }
  if (!command.options.empty()) {
    text += fmt::format("\noptions:\n{}", option_rows(command.options));
  }
  text += fmt::format("\noptions of every command:\n{}\nexamples:\n", option_rows(common_options()));
  for (const auto example : command.examples) {
    text += fmt::format("  {}\n", example);
  }
  return text;
}

std::string man_page() {
  std::string text = fmt::format(".TH SHEAF 1 \"\" \"sheaf {}\"\n.SH NAME\nsheaf \\- layered development environments\n"
                                 ".SH SYNOPSIS\n.B sheaf\n.I COMMAND\n[OPTIONS]\n.SH DESCRIPTION\n{}.SH COMMANDS\n",
                                 SHEAF_VERSION, roff(k_about));
  for (const auto& command : commands()) {
    text += fmt::format(".SS {}\n{}.\n", roff(usage(command)), roff(command.summary));
    text += command.description.empty() ? "" : fmt::format(".PP\n{}\n", roff(command.description));
    for (const auto& option : command.options) {
      text += fmt::format(".TP\n.B {}\n{}\n", roff(trim(option_label(option))), roff(option.help));
    }
    text += ".PP\nExamples:\n.nf\n";
    for (const auto example : command.examples) {
      text += fmt::format(".RS\n{}\n.RE\n", roff(example));
    }
    text += ".fi\n";
  }
  text += ".SH OPTIONS OF EVERY COMMAND\n";
  for (const auto& option : common_options()) {
    text += fmt::format(".TP\n.B {}\n{}\n", roff(trim(option_label(option))), roff(option.help));
  }
  text += ".SH EXIT STATUS\nThe status of the command that was run, 0 for success, or:\n";
  for (const auto& row : k_exit_codes) {
    text += fmt::format(".TP\n.B {}\n{}\n", row.code, roff(row.meaning));
  }
  return text;
}

Result<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") {
    return words_function() + std::string(k_bash_body) + "complete -F _sheaf sheaf\n";
  }
  if (shell == "zsh") {
    return "#compdef sheaf\nautoload -U +X bashcompinit && bashcompinit\n" + words_function() +
           std::string(k_bash_body) + "complete -F _sheaf sheaf\n";
  }
  if (shell == "fish") {
    return fish_script();
  }
  return Error(ErrorCode::invalid, fmt::format("there is no completion for '{}'", shell))
      .with_hint("one of bash, zsh and fish");
}

} // namespace sheaf::cli
