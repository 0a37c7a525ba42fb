// SPDX-License-Identifier: Apache-2.0
// How `sheaf.yml` and `config.yml` are read.
#include "base/text.hpp"
#include "catalogue/config_keys.hpp"
#include "catalogue/project_config.hpp"
#include "catalogue/stack_levels.hpp"
#include "catalogue/yaml_reader.hpp"

#include <fmt/format.h>

#include <utility>

namespace sheaf::catalogue {
namespace {

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
    if (m_config.refresh && *m_config.refresh != "never" && !refresh_seconds(m_config)) {
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

} // namespace

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

} // namespace sheaf::catalogue
