// SPDX-License-Identifier: Apache-2.0
#include "catalogue/project_config.hpp"

#include "base/text.hpp"
#include "catalogue/stack_levels.hpp"
#include "catalogue/yaml_reader.hpp"
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

std::string env_key(std::string_view name) { return fmt::format("env.{}", name); }
std::string stack_key(std::string_view level) { return fmt::format("stacks.{}", level); }
std::string registry_key(std::string_view host) { return fmt::format("registries.{}", host); }
std::string arg_key(std::string_view layer, std::string_view arg) { return fmt::format("args.{}.{}", layer, arg); }

/// Of "12h", "7d", "2w"; nothing for anything else.
std::optional<std::int64_t> seconds_in(std::string_view age) {
  static constexpr std::array<std::pair<char, std::int64_t>, 3> k_units = {
      {{'h', 3600}, {'d', 24 * 3600}, {'w', 7 * 24 * 3600}}};
  constexpr std::int64_t k_most = 10000;
  const auto unit = std::ranges::find(k_units, age.empty() ? '\0' : age.back(), &std::pair<char, std::int64_t>::first);
  const auto count = age.empty() ? std::nullopt : to_number<std::int64_t>(age.substr(0, age.size() - 1));
  const bool is_good = unit != k_units.end() && count && *count > 0 && *count <= k_most;
  return is_good ? std::optional(*count * unit->second) : std::nullopt;
}

/// Reads the keys of a config file and notes where each stands.
class ConfigReader {
public:
  ConfigReader(const YamlNode& root, const ReadContext& context)
      : m_context(context), m_map(root, "the settings", context) {}

  ProjectConfig read() {
    read_base();
    read_family();
    read_image();
    m_config.layers = texts("layers");
    read_agents();
    read_args();
    read_env();
    read_mounts();
    read_ports();
    m_config.gpus = text("gpus");
    read_repo();
    m_config.branch = text("branch");
    read_snippet();
    m_config.dotfiles = text("dotfiles");
    read_test_list();
    read_stacks();
    m_config.caches = texts("caches");
    read_refresh();
    read_registries();
    m_map.finish();
    return std::move(m_config);
  }

private:
  const YamlNode* find(std::string_view key) {
    const auto* entry = m_map.find_entry(key);
    if (entry == nullptr) {
      return nullptr;
    }
    note(std::string(key), entry->key_span);
    return &entry->value;
  }

  void note(std::string key, Span span) {
    const auto line = m_context.source->position(span.begin).line;
    m_config.origins.emplace(std::move(key), fmt::format("{}:{}", m_context.source->name(), line));
  }

  std::optional<std::string> text(std::string_view key) {
    return find(key) != nullptr ? m_map.text(key) : std::nullopt;
  }

  std::optional<std::vector<std::string>> texts(std::string_view key) {
    return find(key) != nullptr ? std::optional(m_map.texts(key)) : std::nullopt;
  }

  void read_base() {
    const auto* node = find("base");
    m_config.base = node != nullptr ? m_map.text("base") : std::nullopt;
    if (m_config.base && names_image(*m_config.base)) {
      if (auto mistake = image_name_mistake(*m_config.base)) {
        m_context.error(node->span, "bad-image", mistake->message(), mistake->hint());
      }
    }
  }

  void read_family() {
    static const std::vector<std::string> k_allowed = {"deb", "rpm", "apk"};
    if (find("family") != nullptr) {
      const auto word = m_map.choice("family", k_allowed);
      m_config.family = word ? family_from(*word) : std::nullopt;
    }
  }

  void read_refresh() {
    const auto* node = find("refresh");
    m_config.refresh = node != nullptr ? m_map.text("refresh") : std::nullopt;
    if (m_config.refresh && *m_config.refresh != "never" && !seconds_in(*m_config.refresh)) {
      m_context.error(node->span, "bad-value", fmt::format("'{}' is no age", *m_config.refresh),
                      "write 'never', or hours, days or weeks: '12h', '7d', '2w'");
    }
  }

  void read_image() {
    const auto* node = find("image");
    m_config.image = node != nullptr ? m_map.text("image") : std::nullopt;
    if (!m_config.image) {
      return;
    }
    if (auto mistake = image_name_mistake(*m_config.image)) {
      m_context.error(node->span, "bad-image", mistake->message(), mistake->hint());
    }
  }

  /// The address goes into every image and into every environment.
  void read_repo() {
    const auto* node = find("repo");
    m_config.repo = node != nullptr ? m_map.text("repo") : std::nullopt;
    const auto address = m_config.repo.value_or("");
    const auto start = address.find("://");
    const auto user = start == std::string::npos ? std::string()
                                                 : address.substr(start + 3, address.find('/', start + 3) - start - 3);
    if (const auto at = user.rfind('@'); at != std::string::npos && user.substr(0, at).find(':') != std::string::npos) {
      m_context.error(node->span, "secret-in-address", "'repo' has a password in it, which would be in every image",
                      "leave it out; git asks its credential helper, or an ssh agent");
    }
  }

  void read_agents() {
    if (const auto* node = find("agents")) {
      m_config.agents = read_selection(m_map, *node);
    }
  }

  void read_stacks() {
    if (const auto* node = find("stacks")) {
      m_config.stacks.emplace();
      for (auto& [level, span] : read_levels(*node, m_context)) {
        note(stack_key(level.name), span);
        m_config.stacks->push_back(std::move(level));
      }
    }
  }

  void read_args() {
    const auto* node = m_map.find("args");
    if (node == nullptr) {
      return;
    }
    for (const auto& layer : read_map(*node, "'args'", m_context)) {
      if (!is_layer_name(layer.key)) {
        m_context.error(layer.key_span, "bad-value", fmt::format("'{}' is not a layer name", layer.key));
      }
      for (const auto& arg : read_map(layer.value, fmt::format("'{}'", layer.key), m_context)) {
        if (auto value = read_text(arg.value, fmt::format("'{}'", arg.key), m_context)) {
          m_config.args[layer.key][arg.key] = std::move(*value);
          note(arg_key(layer.key, arg.key), arg.key_span);
        }
      }
    }
  }

  void read_env() {
    for (auto& [name, value] : m_map.pairs("env")) {
      if (name.text.empty() || name.text.find('=') != std::string::npos) {
        m_context.error(name.span, "bad-value", fmt::format("'{}' is not a variable name", name.text));
      }
      note(env_key(name.text), name.span);
      m_config.env[name.text] = std::move(value);
    }
  }

  /// A list of text of which each entry is checked by `fits`.
  std::optional<std::vector<std::string>> checked_texts(std::string_view key, bool (*fits)(std::string_view),
                                                        std::string_view form) {
    if (find(key) == nullptr) {
      return std::nullopt;
    }
    std::vector<std::string> texts;
    for (auto& word : m_map.words(key)) {
      if (!fits(word.text)) {
        m_context.error(word.span, "bad-value", fmt::format("an entry of '{}' cannot be '{}'", key, word.text),
                        fmt::format("write it as '{}'", form));
      }
      texts.push_back(std::move(word.text));
    }
    return texts;
  }

  void read_mounts() {
    const auto fits = [](std::string_view text) {
      const auto parts = split(text, ':');
      const bool has_mode = parts.size() == 3 && (parts[2] == "ro" || parts[2] == "rw");
      return (parts.size() == 2 || has_mode) && !parts[0].empty() && parts[1].starts_with('/');
    };
    m_config.mounts = checked_texts("mounts", fits, "source:/target[:ro]");
  }

  void read_ports() {
    const auto fits = [](std::string_view text) {
      if (text.ends_with("/tcp") || text.ends_with("/udp")) {
        text.remove_suffix(4);
      }
      // From the right, because an address may be an IPv6 one: container, host, then anything.
      for (int part = 0; part < 2; ++part) {
        const auto colon = text.rfind(':');
        const auto number = to_number<std::uint16_t>(colon == std::string_view::npos ? text : text.substr(colon + 1));
        if (!number || *number == 0) {
          return false;
        }
        if (colon == std::string_view::npos) {
          return true;
        }
        text = text.substr(0, colon);
      }
      return !text.empty();
    };
    m_config.ports = checked_texts("ports", fits, "[[address:]host:]container[/tcp|/udp]");
  }

  void read_snippet() {
    const auto* node = find("snippet");
    if (node == nullptr) {
      return;
    }
    if (node->kind != YamlNode::Kind::map) {
      if (auto inline_text = read_text(*node, "'snippet'", m_context)) {
        m_config.snippet = Snippet{Snippet::Form::inline_text, std::move(*inline_text)};
      }
      return;
    }
    MapReader map(*node, "'snippet'", m_context);
    m_config.snippet = Snippet{Snippet::Form::file, map.required_text("file").value_or("")};
    map.finish();
  }

  void read_test_list() {
    if (find("tests") != nullptr) {
      m_config.tests = read_tests(m_map);
    }
  }

  void read_registries() {
    const auto* node = m_map.find("registries");
    if (node == nullptr) {
      return;
    }
    for (const auto& entry : read_map(*node, "'registries'", m_context)) {
      if (entry.key.empty() || entry.key.find('/') != std::string::npos) {
        m_context.error(entry.key_span, "bad-value", fmt::format("'{}' is not a registry", entry.key),
                        "write host or host:port, without a scheme");
      }
      MapReader map(entry.value, fmt::format("'{}'", entry.key), m_context);
      RegistrySettings settings;
      settings.insecure = map.boolean("insecure").value_or(false);
      settings.mirrors = map.texts("mirrors");
      settings.authorities = map.text("ca").value_or("");
      settings.client_certificate = map.text("cert").value_or("");
      settings.client_key = map.text("key").value_or("");
      map.finish();
      note(registry_key(entry.key), entry.key_span);
      m_config.registries.emplace(entry.key, std::move(settings));
    }
  }

  const ReadContext& m_context;
  MapReader m_map;
  ProjectConfig m_config;
};

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

std::optional<ProjectConfig> parse_config(std::shared_ptr<const SourceText> source, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  const auto root = parse_yaml(source, diagnostics);
  if (!root) {
    return std::nullopt;
  }
  const ReadContext context{std::move(source), diagnostics};
  auto config = ConfigReader(*root, context).read();
  return diagnostics.error_count() == errors_before ? std::optional(std::move(config)) : std::nullopt;
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
  return config.refresh ? seconds_in(*config.refresh) : std::nullopt;
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
