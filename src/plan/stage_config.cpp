// SPDX-License-Identifier: Apache-2.0
// The instructions that only change the image's configuration.
#include "base/text.hpp"
#include "containerfile/port.hpp"
#include "containerfile/signal.hpp"
#include "plan/go_text.hpp"
#include "plan/stage_planner.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {

namespace cf = containerfile;

namespace {

std::vector<std::string> words_of(const cf::ExecCommand& exec) {
  std::vector<std::string> words;
  for (const auto& word : exec.arguments) {
    words.push_back(word.text);
  }
  return words;
}

/// None for an empty list, which takes away what was inherited.
std::optional<std::vector<std::string>> unless_empty(const std::vector<std::string>& words) {
  return words.empty() ? std::nullopt : std::optional(words);
}

} // namespace

template <class Command>
std::vector<std::string> StagePlanner::command_words(const Command& command) const {
  const auto* exec = std::get_if<cf::ExecCommand>(&command);
  return exec != nullptr ? words_of(*exec) : in_shell(std::get<cf::ShellCommand>(command).text);
}

void StagePlanner::apply(const cf::User& user) {
  const auto name = m_words.expand(user.user);
  if (name.empty()) {
    m_words.error(user.user.span, "empty-user", "the user is empty", "write 'USER root' for root");
  }
  config().user = name;
  m_said.user = true;
  record("USER " + name);
}

void StagePlanner::apply(const cf::Cmd& cmd) {
  const auto words = command_words(cmd.command);
  config().command = unless_empty(words);
  m_said.command = true;
  record("CMD " + quoted_list(words));
}

void StagePlanner::apply(const cf::Entrypoint& entrypoint) {
  const auto words = command_words(entrypoint.command);
  config().entrypoint = unless_empty(words);
  if (!m_said.command) {
    config().command.reset(); // it was made for another entry point
  }
  m_said.entrypoint = true;
  record("ENTRYPOINT " + quoted_list(words));
}

void StagePlanner::apply(const cf::Label& label) {
  std::string text = "LABEL";
  for (const auto& pair : label.pairs) {
    const auto name = m_words.expand(pair.name);
    const auto value = m_words.expand(pair.value);
    if (name.empty()) {
      m_words.error(pair.name.span, "empty-name", "the label's name is empty");
      continue;
    }
    config().labels[name] = value;
    m_said.labels.insert(name);
    text += fmt::format(" {}={}", name, value);
  }
  record(std::move(text));
}

void StagePlanner::apply(const cf::Shell& shell) {
  config().shell.clear();
  for (const auto& word : shell.arguments) {
    config().shell.push_back(word.text);
  }
  m_said.shell = true;
  record("SHELL " + plain_list(config().shell));
}

void StagePlanner::apply(const cf::Volume& volume) {
  const auto paths = m_words.expand(volume.paths);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) {
      m_words.error(volume.paths[i].span, "empty-path", "the path of the volume is empty");
      continue;
    }
    config().volumes.insert(paths[i]);
  }
  record("VOLUME " + plain_list(paths));
}

void StagePlanner::add_ports(const std::string& text, Span span, std::set<std::string>& ports) {
  const auto parsed = cf::parse_ports(text);
  if (!parsed) {
    m_words.error(span, "bad-port", parsed.error().message(), parsed.error().hint());
    return;
  }
  for (auto& name : parsed->names()) {
    ports.insert(std::move(name));
  }
}

void StagePlanner::apply(const cf::Expose& expose) {
  std::set<std::string> ports;
  for (const auto& word : expose.ports) {
    std::string text = m_words.expand(word);
    // One variable may hold several.
    for (const auto separator : {'\t', '\n'}) {
      std::replace(text.begin(), text.end(), separator, ' ');
    }
    for (const auto part : split(text, ' ')) {
      if (!part.empty()) {
        add_ports(std::string(part), word.span, ports);
      }
    }
  }
  std::vector<std::string> entries;
  for (const auto& port : ports) {
    entries.push_back(port + ":{}");
  }
  config().exposed_ports.insert(ports.begin(), ports.end());
  record("EXPOSE map" + plain_list(entries));
}

void StagePlanner::apply(const cf::StopSignal& signal) {
  const auto text = m_words.expand(signal.signal);
  if (!cf::is_signal(text)) {
    m_words.error(signal.signal.span, "bad-signal", fmt::format("there is no signal '{}'", text),
                  "write a name like 'SIGTERM' or a number");
  }
  config().stop_signal = text;
  record("STOPSIGNAL " + text);
}

void StagePlanner::apply(const cf::Healthcheck& healthcheck) {
  oci::Healthcheck check;
  if (!healthcheck.test) {
    check.test = {"NONE"};
  } else if (const auto* shell = std::get_if<cf::ShellCommand>(&*healthcheck.test)) {
    check.test = {"CMD-SHELL", shell->text};
  } else {
    check.test = words_of(std::get<cf::ExecCommand>(*healthcheck.test));
    check.test.insert(check.test.begin(), "CMD");
  }
  check.interval = healthcheck.interval.count();
  check.timeout = healthcheck.timeout.count();
  check.start_period = healthcheck.start_period.count();
  check.start_interval = healthcheck.start_interval.count();
  check.retries = healthcheck.retries;
  config().healthcheck = check;
  record("HEALTHCHECK " + healthcheck_text(check));
}

void StagePlanner::apply(const cf::Onbuild& onbuild) { config().on_build.push_back(onbuild.instruction.text); }

void StagePlanner::apply(const cf::Maintainer& maintainer) {
  m_state.image.author = maintainer.name.text;
  record("MAINTAINER " + maintainer.name.text);
}

} // namespace sheaf::plan
