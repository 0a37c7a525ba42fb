// SPDX-License-Identifier: Apache-2.0
#include "catalogue/yaml_reader.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::catalogue {
namespace {

using NodeKind = YamlNode::Kind;

std::string describe(const YamlNode& node) {
  constexpr std::size_t k_longest_quoted = 40;
  switch (node.kind) {
  case NodeKind::null:
    return "nothing";
  case NodeKind::scalar:
    return node.text.size() <= k_longest_quoted ? fmt::format("'{}'", node.text) : "text";
  case NodeKind::list:
    return "a list";
  case NodeKind::map:
    return "a map";
  }
  return "nothing";
}

void report_type(const YamlNode& node, std::string_view what, std::string_view wanted, const ReadContext& context) {
  std::string hint;
  if (node.kind == NodeKind::scalar && wanted == "a list") {
    hint = fmt::format("write '[{}]'", node.text);
  }
  context.error(node.span, "wrong-type", fmt::format("{} must be {}, not {}", what, wanted, describe(node)),
                std::move(hint));
}

std::string quoted(std::string_view key) { return fmt::format("'{}'", key); }

std::string entry_of(std::string_view key) { return fmt::format("an entry of '{}'", key); }

} // namespace

std::optional<std::string> read_text(const YamlNode& node, std::string_view what, const ReadContext& context) {
  if (node.kind != NodeKind::scalar) {
    report_type(node, what, "text", context);
    return std::nullopt;
  }
  return node.text;
}

std::optional<bool> read_boolean(const YamlNode& node, std::string_view what, const ReadContext& context) {
  constexpr std::array<std::string_view, 3> k_yes = {"true", "yes", "on"};
  constexpr std::array<std::string_view, 3> k_no = {"false", "no", "off"};
  if (node.kind == NodeKind::scalar && std::find(k_yes.begin(), k_yes.end(), node.text) != k_yes.end()) {
    return true;
  }
  if (node.kind == NodeKind::scalar && std::find(k_no.begin(), k_no.end(), node.text) != k_no.end()) {
    return false;
  }
  report_type(node, what, "'true' or 'false'", context);
  return std::nullopt;
}

std::optional<std::int64_t> read_number(const YamlNode& node, NumberRange range, std::string_view what,
                                        const ReadContext& context) {
  const auto number = node.kind == NodeKind::scalar ? to_number<std::int64_t>(node.text) : std::nullopt;
  if (!number) {
    report_type(node, what, "a whole number", context);
    return std::nullopt;
  }
  if (*number < range.low || *number > range.high) {
    context.error(node.span, "bad-value", fmt::format("{} cannot be {}", what, *number),
                  fmt::format("allowed: {} to {}", range.low, range.high));
    return std::nullopt;
  }
  return number;
}

std::optional<std::string> read_choice(const YamlNode& node, std::span<const std::string> allowed,
                                       std::string_view what, const ReadContext& context) {
  auto text = read_text(node, what, context);
  if (!text || std::find(allowed.begin(), allowed.end(), *text) != allowed.end()) {
    return text;
  }
  auto hint = did_you_mean(*text, allowed);
  hint += fmt::format("{}allowed: {}", hint.empty() ? "" : " ", joined(allowed, ", "));
  context.error(node.span, "bad-value", fmt::format("{} cannot be '{}'", what, *text), std::move(hint));
  return std::nullopt;
}

const std::vector<YamlNode>& read_list(const YamlNode& node, std::string_view what, const ReadContext& context) {
  if (node.kind != NodeKind::list) {
    report_type(node, what, "a list", context);
  }
  return node.items;
}

const std::vector<YamlEntry>& read_map(const YamlNode& node, std::string_view what, const ReadContext& context) {
  if (node.kind != NodeKind::map && node.kind != NodeKind::null) {
    report_type(node, what, "a map", context);
  }
  return node.entries;
}

MapReader::MapReader(const YamlNode& node, std::string what, const ReadContext& context)
    : m_node(node), m_what(std::move(what)), m_context(context), m_entries(read_map(node, m_what, context)) {}

const YamlEntry* MapReader::find_entry(std::string_view key) {
  if (std::find(m_known.begin(), m_known.end(), key) == m_known.end()) {
    m_known.emplace_back(key);
  }
  const auto found =
      std::find_if(m_entries.begin(), m_entries.end(), [&](const YamlEntry& entry) { return entry.key == key; });
  return found != m_entries.end() && found->value.kind != NodeKind::null ? &*found : nullptr;
}

const YamlNode* MapReader::find(std::string_view key) {
  const auto* entry = find_entry(key);
  return entry != nullptr ? &entry->value : nullptr;
}

const YamlNode* MapReader::require(std::string_view key) {
  const auto* node = find(key);
  const bool is_map = m_node.kind == NodeKind::map || m_node.kind == NodeKind::null;
  if (node == nullptr && is_map) { // another type was reported already
    m_context.error(m_node.span, "missing-key", fmt::format("{} needs '{}'", m_what, key));
  }
  return node;
}

std::optional<std::string> MapReader::text(std::string_view key) {
  const auto* node = find(key);
  return node != nullptr ? read_text(*node, quoted(key), m_context) : std::nullopt;
}

std::optional<std::string> MapReader::required_text(std::string_view key) {
  const auto* node = require(key);
  return node != nullptr ? read_text(*node, quoted(key), m_context) : std::nullopt;
}

std::optional<bool> MapReader::boolean(std::string_view key) {
  const auto* node = find(key);
  return node != nullptr ? read_boolean(*node, quoted(key), m_context) : std::nullopt;
}

std::optional<std::string> MapReader::choice(std::string_view key, std::span<const std::string> allowed) {
  const auto* node = find(key);
  return node != nullptr ? read_choice(*node, allowed, quoted(key), m_context) : std::nullopt;
}

std::vector<Word> MapReader::words(std::string_view key) {
  std::vector<Word> words;
  if (const auto* node = find(key)) {
    for (const auto& item : read_list(*node, quoted(key), m_context)) {
      if (auto text = read_text(item, entry_of(key), m_context)) {
        words.push_back({std::move(*text), item.span});
      }
    }
  }
  return words;
}

std::vector<std::string> MapReader::texts(std::string_view key) {
  std::vector<std::string> texts;
  for (auto& word : words(key)) {
    texts.push_back(std::move(word.text));
  }
  return texts;
}

std::vector<std::pair<Word, std::string>> MapReader::pairs(std::string_view key) {
  std::vector<std::pair<Word, std::string>> pairs;
  if (const auto* node = find(key)) {
    for (const auto& entry : read_map(*node, quoted(key), m_context)) {
      if (auto text = read_text(entry.value, quoted(entry.key), m_context)) {
        pairs.emplace_back(Word{entry.key, entry.key_span}, std::move(*text));
      }
    }
  }
  return pairs;
}

void MapReader::finish() {
  for (const auto& entry : m_entries) {
    if (std::find(m_known.begin(), m_known.end(), entry.key) != m_known.end()) {
      continue;
    }
    auto hint = did_you_mean(entry.key, m_known);
    if (hint.empty()) {
      hint = "known keys: " + joined(m_known, ", ");
    }
    m_context.error(entry.key_span, "unknown-key", fmt::format("unknown key '{}' in {}", entry.key, m_what),
                    std::move(hint));
  }
}

std::vector<LayerTest> read_tests(MapReader& map) {
  std::vector<LayerTest> tests;
  if (const auto* node = map.find("tests")) {
    for (const auto& item : read_list(*node, "'tests'", map.context())) {
      MapReader test(item, "an entry of 'tests'", map.context());
      auto command = test.required_text("command").value_or("");
      tests.push_back({std::move(command), test.text("expect").value_or("")});
      test.finish();
    }
  }
  return tests;
}

} // namespace sheaf::catalogue
