// SPDX-License-Identifier: Apache-2.0
// How the configurations of the layers of a stack add up.
#include "base/text.hpp"
#include "plan/layer_plan.hpp"

#include <algorithm>
#include <set>

namespace sheaf::plan {
namespace {

const std::map<std::string, std::string>& default_environment() {
  static const std::map<std::string, std::string> environment = {{"PATH", k_default_path}};
  return environment;
}

/// Adds to `path` what `value` has that `path` lacks: behind the last entry they share it goes to the end, else to the
/// front.
std::string merge_path(const std::string& path, const std::string& value) {
  std::vector<std::string> entries;
  for (const auto part : split(path, ':')) {
    entries.emplace_back(part);
  }
  const auto known = [&](std::string_view part) { return std::ranges::find(entries, part) != entries.end(); };
  const auto parts = split(value, ':');
  const auto last_known = std::ranges::find_if(parts.rbegin(), parts.rend(), known).base();
  std::vector<std::string> front;
  std::vector<std::string> back;
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    if (!known(*part)) {
      (part < last_known || last_known == parts.begin() ? front : back).emplace_back(*part);
    }
  }
  front.insert(front.end(), entries.begin(), entries.end());
  front.insert(front.end(), back.begin(), back.end());
  return joined(front, ":");
}

/// Variables whose value is a list of folders, to which several layers may add.
bool is_list(const std::string& name) {
  static const std::set<std::string> names = {
      "PATH",      "CLASSPATH", "CPATH",           "LD_LIBRARY_PATH", "INFOPATH",        "LIBRARY_PATH", "MANPATH",
      "NODE_PATH", "PERL5LIB",  "PKG_CONFIG_PATH", "PYTHONPATH",      "XDG_CONFIG_DIRS", "XDG_DATA_DIRS"};
  return names.contains(name);
}

} // namespace

std::map<std::string, std::string> compose_environment(const std::vector<const ConfigDelta*>& deltas) {
  auto environment = default_environment();
  for (const auto* delta : deltas) {
    for (const auto& [name, value] : delta->environment) {
      auto& slot = environment[name];
      slot = is_list(name) && !slot.empty() ? merge_path(slot, value) : value;
    }
  }
  return environment;
}

ConfigDelta compose_config(const std::vector<const ConfigDelta*>& deltas) {
  ConfigDelta config;
  const auto take = [](auto& slot, const auto& value) {
    if (!value.empty()) {
      slot = value;
    }
  };
  for (const auto* delta : deltas) {
    take(config.user, delta->user);
    take(config.directory, delta->directory);
    take(config.command, delta->command);
    take(config.entrypoint, delta->entrypoint);
    take(config.shell, delta->shell);
    for (const auto& [name, value] : delta->labels) {
      config.labels[name] = value;
    }
  }
  config.environment = compose_environment(deltas);
  return config;
}

} // namespace sheaf::plan
