// SPDX-License-Identifier: Apache-2.0
// The instructions that run or copy something, or change variables; those that only change the image's configuration
// are in stage_config.cpp.
#include "plan/stage_planner.hpp"

#include "base/text.hpp"
#include "plan/copy_planner.hpp"
#include "plan/mount_planner.hpp"
#include "plan/paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::plan {

namespace cf = containerfile;

namespace {

/// The mark of BuildKit on lines of the history that ran or copied something; tools that read histories know it.
constexpr const char* k_history_mark = " # buildkit";
constexpr const char* k_history_comment = "sheaf";
constexpr std::array<std::string_view, 2> k_not_variables = {"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"};
constexpr std::array<std::string_view, 5> k_proxies = {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY",
                                                       "ALL_PROXY"};

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

} // namespace

bool is_proxy_argument(std::string_view name) {
  return std::ranges::any_of(k_proxies, [&](std::string_view proxy) { return lower_case(proxy) == lower_case(name); });
}

StagePlanner::StagePlanner(const cf::File& file, const StageSetting& setting, StageState start,
                           Diagnostics& diagnostics)
    : m_file(file),
      m_setting(setting),
      m_state(std::move(start)),
      m_words(file.source, file.escape, m_state.variables, diagnostics) {}

void StagePlanner::carry_out(const cf::Instruction& instruction) {
  std::visit([this](const auto& one) { apply(one); }, instruction);
  if (!std::holds_alternative<cf::Arg>(instruction)) {
    m_last_arg.reset();
  }
  m_state.variables = m_words.variables();
}

void StagePlanner::carry_out_trigger(const cf::Instruction& instruction, std::shared_ptr<const SourceText> source) {
  m_in_trigger = true;
  m_words.read_from(std::move(source), '\\');
  carry_out(instruction);
  m_words.read_from(m_file.source, m_file.escape);
  m_last_arg.reset();
  m_in_trigger = false;
}

void StagePlanner::set_environment(const std::string& name, const std::string& value) {
  m_words.set(name, value);
  oci::set_variable(config(), name, value);
  m_said.variables.insert(name);
  m_state.variables = m_words.variables();
}

void StagePlanner::record(std::string created_by, Layer layer) {
  m_state.image.history.push_back({std::move(created_by), k_history_comment, layer == Layer::none});
}

void StagePlanner::add_step(const cf::Origin& origin, decltype(Step::action) action) {
  const auto display = m_in_trigger ? "ONBUILD " + origin.display() : origin.display();
  m_steps.push_back({display, m_in_trigger ? 0 : origin.line, std::move(action)});
}

std::string StagePlanner::directory() const {
  const auto& directory = m_state.image.config.directory;
  return directory.empty() ? "/" : directory;
}

std::vector<std::string> StagePlanner::in_shell(const std::string& text) const {
  auto argv = m_state.image.config.shell;
  if (argv.empty()) {
    argv = {"/bin/sh", "-c"};
  }
  argv.push_back(text);
  return argv;
}

// --- variables

std::optional<std::string> StagePlanner::argument_value(const cf::Arg& arg) {
  if (const auto given = m_setting.build_args.find(arg.name.text); given != m_setting.build_args.end()) {
    return given->second;
  }
  return arg.default_value ? std::optional(m_words.expand(*arg.default_value))
                           : find_variable(m_setting.globals, arg.name.text);
}

void StagePlanner::apply(const cf::Arg& arg) {
  const auto& name = arg.name.text;
  const auto value = argument_value(arg);
  if (value && std::ranges::find(k_not_variables, name) == k_not_variables.end()) {
    m_words.set(name, *value);
  }
  if (std::ranges::find(m_state.arguments, name) == m_state.arguments.end()) {
    m_state.arguments.push_back(name);
  }
  const auto text = value ? fmt::format("{}={}", name, *value) : name;
  if (m_last_arg == arg.origin.span.begin) {
    m_state.image.history.back().created_by += " " + text;
  } else {
    record("ARG " + text);
  }
  m_last_arg = arg.origin.span.begin;
}

void StagePlanner::apply(const cf::Env& env) {
  // All pairs of one ENV see the values from before it.
  Variables pairs;
  for (const auto& pair : env.pairs) {
    pairs.emplace_back(m_words.expand(pair.name), m_words.expand(pair.value));
  }
  std::string text = "ENV";
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [name, value] = pairs[i];
    if (name.empty()) {
      m_words.error(env.pairs[i].name.span, "empty-name", "the variable's name is empty");
      continue;
    }
    text += fmt::format(" {}={}", name, value);
    set_environment(name, value);
  }
  record(std::move(text));
}

// --- steps

void StagePlanner::take_command(RunStep& step, const cf::Run& run) const {
  if (const auto* exec = std::get_if<cf::ExecCommand>(&run.command)) {
    for (const auto& word : exec->arguments) {
      step.argv.push_back(word.text);
    }
  } else if (const auto* script = std::get_if<cf::ScriptCommand>(&run.command)) {
    step.script = script->text;
  } else {
    step.argv = in_shell(std::get<cf::ShellCommand>(run.command).text);
  }
}

void StagePlanner::take_environment(RunStep& step) const {
  step.environment = m_words.variables();
  for (const auto& [name, value] : m_setting.build_args) {
    if (!is_proxy_argument(name) || value.empty()) {
      continue;
    }
    auto upper = name;
    std::ranges::transform(upper, upper.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    for (const auto& spelling : {upper, lower_case(name)}) {
      if (!find_variable(step.environment, spelling)) {
        step.environment.emplace_back(spelling, value);
        step.not_in_key.push_back(spelling);
      }
    }
  }
}

void StagePlanner::refuse(const cf::Word& word, const std::string& flag, const std::string& right) {
  m_words.error(word.span, "not-allowed", fmt::format("'{}' is not allowed in this build", flag),
                fmt::format(fmt::runtime(m_setting.not_allowed_hint), right));
}

void StagePlanner::take_rights(RunStep& step, const cf::Run& run) {
  step.network = m_setting.network;
  const auto network = m_words.expand(run.network);
  if (network == "none") {
    step.network = Network::none;
  } else if (network == "host") {
    step.network = Network::host;
    if (!m_setting.allow_host_network) {
      refuse(*run.network, "--network=host", "network.host");
    }
  } else if (!network.empty() && network != "default") {
    m_words.error(run.network->span, "bad-network", fmt::format("there is no network '{}'", network),
                  "default, none and host are");
  }
  const auto security = m_words.expand(run.security);
  if (security == "insecure") {
    step.security = Security::insecure;
    if (!m_setting.allow_insecure) {
      refuse(*run.security, "--security=insecure", "security.insecure");
    }
  } else if (!security.empty() && security != "sandbox") {
    m_words.error(run.security->span, "bad-security", fmt::format("there is no security mode '{}'", security),
                  "sandbox and insecure are");
  }
}

/// "RUN |2 A=1 B= /bin/sh -c make"; a script is shown as in the file.
std::string StagePlanner::run_history(const RunStep& step, const cf::Run& run) const {
  std::string text = "RUN ";
  if (!m_state.arguments.empty()) {
    text += fmt::format("|{} ", m_state.arguments.size());
    for (const auto& name : m_state.arguments) {
      text += fmt::format("{}={} ", name, find_variable(m_words.variables(), name).value_or(""));
    }
  }
  const auto& display = run.origin.display();
  return text +
         (step.script ? display.substr(std::min(display.find(' ') + 1, display.size())) : joined(step.argv, " "));
}

void StagePlanner::apply(const cf::Run& run) {
  RunStep step;
  take_command(step, run);
  take_environment(step);
  take_rights(step, run);
  step.directory = directory();
  step.user = config().user;
  step.mounts = plan_mounts(run.mounts, step.directory, m_setting, m_words);
  record(run_history(step, run) + k_history_mark, Layer::made);
  add_step(run.origin, std::move(step));
}

void StagePlanner::apply(const cf::Copy& copy) {
  auto planned = plan_copy(copy, directory(), m_setting, m_words);
  record(planned.history + k_history_mark, Layer::made);
  add_step(copy.origin, std::move(planned.step));
}

void StagePlanner::apply(const cf::Add& add) {
  auto planned = plan_add(add, directory(), m_words);
  record(planned.history + k_history_mark, Layer::made);
  add_step(add.origin, std::move(planned.step));
}

void StagePlanner::apply(const cf::Fetch& fetch) {
  auto planned = plan_fetch(fetch, directory(), m_words);
  record(planned.history + k_history_mark, Layer::made);
  add_step(fetch.origin, std::move(planned.step));
}

void StagePlanner::apply(const cf::Snapshot& snapshot) {
  const auto path = path_in(directory(), m_words.expand(snapshot.path));
  record("SNAPSHOT " + path);
  add_step(snapshot.origin, SnapshotStep{path});
}

void StagePlanner::apply(const cf::Workdir& workdir) {
  const auto path = m_words.expand(workdir.path);
  config().directory = path_in(directory(), path);
  m_said.directory = true;
  const bool is_root = config().directory == "/";
  record("WORKDIR " + config().directory, is_root ? Layer::none : Layer::made);
  if (!is_root) {
    add_step(workdir.origin, MakeDirectoryStep{config().directory, config().user});
  }
}

} // namespace sheaf::plan
