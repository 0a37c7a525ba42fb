// SPDX-License-Identifier: Apache-2.0
// RUN, CMD, ENTRYPOINT, SHELL and HEALTHCHECK.
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "containerfile/duration.hpp"
#include "containerfile/mount.hpp"
#include "containerfile/node_checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

namespace sheaf::containerfile {
namespace {

/// As in BuildKit: a heredoc alone is the script itself; with a command, the shell gets all of it to make sense of.
std::variant<ShellCommand, ExecCommand, ScriptCommand> heredoc_command(const Node& node) {
  const auto& heredocs = node.line.heredocs();
  const auto span = node.arguments.span;
  if (heredocs.size() == 1 && heredoc_marker(node.line.text(), node.arguments_range)) {
    auto content = heredocs.front().content();
    if (content.starts_with("#!")) {
      return ScriptCommand{std::move(content), span};
    }
    return ShellCommand{std::move(content), span};
  }
  auto text = node.arguments.text;
  for (const auto& heredoc : heredocs) {
    text += "\n" + heredoc.body + heredoc.name.text;
  }
  return ShellCommand{std::move(text), span};
}

/// A flag with a fixed set of values, checked unless it has a variable.
std::optional<Word> choice(NodeChecker& checker, std::string_view name, const std::vector<std::string>& values) {
  auto value = checker.expandable_flag(name);
  if (!value || has_variable(*value) || std::find(values.begin(), values.end(), value->text) != values.end()) {
    return value;
  }
  const auto near = did_you_mean(value->text, values);
  checker.error(value->span, "bad-value", fmt::format("'--{}' cannot be '{}'", name, value->text),
                near.empty() ? fmt::format("it is one of: {}", fmt::join(values, ", ")) : near);
  return value;
}

std::vector<MountFlag> mounts(NodeChecker& checker) {
  std::vector<MountFlag> mounts;
  for (const auto* flag : checker.flags("mount")) {
    if (auto mount = parse_mount(checker.settings().source, checker.node().line, *flag, checker.diagnostics())) {
      for (const auto& option : mount->options) {
        checker.check_expansion(option.value.value_or(Word{}));
      }
      mounts.push_back(std::move(*mount));
    }
  }
  return mounts;
}

/// Zero if it is not given.
std::chrono::nanoseconds interval(NodeChecker& checker, std::string_view name) {
  const auto value = checker.flag(name);
  if (!value) {
    return {};
  }
  const auto duration = parse_duration(value->text);
  if (!duration) {
    checker.error(value->span, "bad-duration", fmt::format("'{}' is no duration", value->text),
                  "write '30s', '1m30s' or '500ms', for example");
    return {};
  }
  if (*duration != std::chrono::nanoseconds(0) && *duration < std::chrono::milliseconds(1)) {
    checker.error(value->span, "bad-duration", fmt::format("'--{}' is shorter than a millisecond", name),
                  "0 stands for the default");
  }
  return *duration;
}

int retries(NodeChecker& checker) {
  const auto value = checker.flag("retries");
  if (!value) {
    return 0;
  }
  const auto number = to_number<int>(value->text);
  if (!number || *number < 0) {
    checker.error(value->span, "bad-value", fmt::format("'--retries' is a number, not '{}'", value->text));
  }
  return number.value_or(0);
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); });
  return text;
}

/// What follows "CMD" in a HEALTHCHECK.
std::optional<std::variant<ShellCommand, ExecCommand>> health_test(NodeChecker& checker, Range after) {
  const auto& node = checker.node();
  if (after.empty()) {
    checker.error(node.arguments.span, "missing-argument", "the command is missing after 'HEALTHCHECK CMD'");
    return std::nullopt;
  }
  auto command = checker.command(read_json_array(node.line.text(), after), after);
  if (const auto* exec = std::get_if<ExecCommand>(&command); exec != nullptr && exec->arguments.empty()) {
    checker.error(exec->span, "missing-argument", "HEALTHCHECK needs a command, and this array is empty");
  }
  return command;
}

} // namespace

void check_run(NodeChecker& checker) {
  const auto& node = checker.node();
  if (checker.missing_arguments("a command", "")) {
    return;
  }
  Run run;
  run.origin = checker.origin();
  run.mounts = mounts(checker);
  run.network = choice(checker, "network", {"default", "none", "host"});
  run.security = choice(checker, "security", {"sandbox", "insecure"});
  if (!node.line.heredocs().empty()) {
    run.command = heredoc_command(node);
  } else {
    std::visit([&](auto&& value) { run.command = std::forward<decltype(value)>(value); }, checker.command());
  }
  if (const auto* exec = std::get_if<ExecCommand>(&run.command); exec != nullptr && exec->arguments.empty()) {
    checker.error(exec->span, "missing-argument", "RUN needs a command, and this array is empty");
  }
  checker.add(std::move(run));
}

void check_cmd(NodeChecker& checker) {
  if (!checker.missing_arguments("a command", "write 'CMD []' to take the inherited one away")) {
    checker.add(Cmd{checker.origin(), checker.command()});
  }
}

void check_entrypoint(NodeChecker& checker) {
  if (!checker.missing_arguments("a command", "write 'ENTRYPOINT []' to take the inherited one away")) {
    checker.add(Entrypoint{checker.origin(), checker.command()});
  }
}

void check_shell(NodeChecker& checker) {
  const auto* hint = "write 'SHELL [\"/bin/sh\", \"-c\"]'";
  if (checker.missing_arguments("a JSON array", hint)) {
    return;
  }
  const auto& node = checker.node();
  const auto& json = node.json;
  if (json.form == ArrayForm::array && !json.items.empty()) {
    checker.add(Shell{checker.origin(), checker.json_words()});
  } else if (json.form == ArrayForm::absent || json.form == ArrayForm::array) {
    checker.error(node.arguments.span, json.form == ArrayForm::array ? "missing-argument" : "json-form",
                  json.form == ArrayForm::array ? "the array is empty" : "SHELL needs a JSON array", hint);
  } else {
    checker.error(node.line.span(json.where), "json-form", json.problem, hint);
  }
}

void check_healthcheck(NodeChecker& checker) {
  if (checker.missing_arguments("a command", "write 'HEALTHCHECK CMD COMMAND', or 'HEALTHCHECK NONE'")) {
    return;
  }
  const auto& node = checker.node();
  const auto words = blank_separated(node.line.text(), node.arguments_range);
  const auto kind = node.line.word(words.front());
  Healthcheck health;
  health.origin = checker.origin();
  if (upper(kind.text) == "NONE") {
    if (words.size() > 1) {
      checker.error(node.line.span({words[1].begin, words.back().end}), "unexpected-argument",
                    "nothing may follow 'HEALTHCHECK NONE'");
    }
  } else if (upper(kind.text) == "CMD") {
    const Range rest{words.size() > 1 ? words[1].begin : node.arguments_range.end, node.arguments_range.end};
    health.test = health_test(checker, rest);
    health.interval = interval(checker, "interval");
    health.timeout = interval(checker, "timeout");
    health.start_period = interval(checker, "start-period");
    health.start_interval = interval(checker, "start-interval");
    health.retries = retries(checker);
  } else {
    checker.error(kind.span, "unexpected-argument",
                  fmt::format("'CMD' or 'NONE' is expected here, not '{}'", kind.text),
                  "write 'HEALTHCHECK CMD COMMAND'");
  }
  checker.add(std::move(health));
}

} // namespace sheaf::containerfile
