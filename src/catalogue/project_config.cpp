// SPDX-License-Identifier: Apache-2.0
#include "catalogue/project_config.hpp"

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "catalogue/config_keys.hpp"
#include "oci/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sheaf::catalogue {
namespace {

/// Calls `visit(key, member)` for every field that is set or replaced as a whole.
template <class Visit>
void for_each_field_before_args(Visit&& visit) {
  visit("base", &ProjectConfig::base);
  visit("family", &ProjectConfig::family);
  visit("image", &ProjectConfig::image);
  visit("layers", &ProjectConfig::layers);
  visit("agents", &ProjectConfig::agents);
}

template <class Visit>
void for_each_field_after_env(Visit&& visit) {
  visit("mounts", &ProjectConfig::mounts);
  visit("ports", &ProjectConfig::ports);
  visit("gpus", &ProjectConfig::gpus);
  visit("repo", &ProjectConfig::repo);
  visit("branch", &ProjectConfig::branch);
  visit("snippet", &ProjectConfig::snippet);
  visit("dotfiles", &ProjectConfig::dotfiles);
  visit("tests", &ProjectConfig::tests);
  visit("stacks", &ProjectConfig::stacks);
  visit("caches", &ProjectConfig::caches);
  visit("refresh", &ProjectConfig::refresh);
}

std::string shown(const std::string& text) { return text; }
std::string shown(Family family) { return std::string(to_string(family)); }
std::string shown(const std::vector<std::string>& list) { return fmt::format("[{}]", joined(list, ", ")); }
std::string shown(const Snippet& snippet) {
  return snippet.form == Snippet::Form::file ? "file " + snippet.text : snippet.text;
}
std::string shown(const RegistrySettings& settings) {
  std::vector<std::string> words;
  if (settings.insecure) {
    words.emplace_back("insecure");
  }
  if (!settings.mirrors.empty()) {
    words.push_back("mirrors " + shown(settings.mirrors));
  }
  for (const auto& [name, value] :
       {std::pair("ca", settings.authorities), {"cert", settings.client_certificate}, {"key", settings.client_key}}) {
    if (!value.empty()) {
      words.push_back(fmt::format("{} {}", name, value));
    }
  }
  return joined(words, ", ");
}
std::string shown(const std::vector<StackLevel>& levels) {
  std::vector<std::string> names;
  names.reserve(levels.size());
  for (const auto& level : levels) {
    names.push_back(level.name);
  }
  return shown(names);
}
std::string shown(const std::vector<LayerTest>& tests) {
  std::vector<std::string> commands;
  commands.reserve(tests.size());
  for (const auto& test : tests) {
    commands.push_back(test.command);
  }
  return shown(commands);
}

} // namespace

bool names_image(std::string_view base) { return base.find_first_of("/:@.") != std::string_view::npos; }

std::optional<Error> image_name_mistake(std::string_view name) {
  if (name.starts_with(k_layout_scheme)) {
    return name.size() > k_layout_scheme.size()
               ? std::nullopt
               : std::optional(Error(ErrorCode::invalid, fmt::format("'{}' names no file", name))
                                   .with_hint(fmt::format("write '{}PATH[:TAG]'", k_layout_scheme)));
  }
  const auto reference = oci::Reference::parse(name);
  return reference ? std::nullopt : std::optional(reference.error());
}

namespace {

/// Each level of a stack has a place of its own.
void take_stack_origins(const ProjectConfig& level, ProjectConfig& merged) {
  if (merged.stacks || !level.stacks) {
    return;
  }
  for (const auto& stack : *level.stacks) {
    const auto key = stack_key(stack.name);
    if (const auto origin = level.origins.find(key); origin != level.origins.end()) {
      merged.origins.insert(*origin);
    }
  }
}

} // namespace

ProjectConfig merge(std::span<const ProjectConfig> levels) {
  ProjectConfig merged;
  for (const auto& level : levels) {
    const auto take_origin = [&](const std::string& key) {
      if (const auto origin = level.origins.find(key); origin != level.origins.end()) {
        merged.origins.emplace(key, origin->second);
      }
    };
    const auto take = [&](const char* key, auto member) {
      if (!(merged.*member) && level.*member) {
        merged.*member = level.*member;
        take_origin(key);
      }
    };
    take_stack_origins(level, merged);
    for_each_field_before_args(take);
    for_each_field_after_env(take);
    for (const auto& [layer, args] : level.args) {
      for (const auto& [arg, value] : args) {
        if (merged.args[layer].emplace(arg, value).second) {
          take_origin(arg_key(layer, arg));
        }
      }
    }
    const auto take_entries = [&](auto member, auto key_of) {
      for (const auto& [name, value] : level.*member) {
        if ((merged.*member).emplace(name, value).second) {
          take_origin(key_of(name));
        }
      }
    };
    take_entries(&ProjectConfig::env, env_key);
    take_entries(&ProjectConfig::registries, registry_key);
  }
  return merged;
}

std::optional<std::int64_t> refresh_seconds(const ProjectConfig& config) {
  const auto age = config.refresh ? parse_age(*config.refresh) : std::nullopt;
  return age && *age > 0 ? age : std::nullopt;
}

std::vector<ConfigValue> show(const ProjectConfig& config) {
  std::vector<ConfigValue> values;
  const auto add = [&](std::string key, std::string value) {
    const auto origin = config.origins.find(key);
    values.push_back({std::move(key), std::move(value), origin != config.origins.end() ? origin->second : ""});
  };
  const auto add_field = [&](const char* key, auto member) {
    if (config.*member) {
      add(key, shown(*(config.*member)));
    }
  };
  for_each_field_before_args(add_field);
  for (const auto& [layer, args] : config.args) {
    for (const auto& [arg, value] : args) {
      add(arg_key(layer, arg), value);
    }
  }
  for (const auto& [name, value] : config.env) {
    add(env_key(name), value);
  }
  for_each_field_after_env(add_field);
  for (const auto& [host, settings] : config.registries) {
    add(registry_key(host), shown(settings));
  }
  return values;
}

} // namespace sheaf::catalogue
