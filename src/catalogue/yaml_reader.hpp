// SPDX-License-Identifier: Apache-2.0
#pragma once

// Typed, checked access to a YAML tree. Used by the parsers of `layer.yml` and `sheaf.yml`. A reader reports every
// mistake where it stands and goes on, so that one run shows all of them; it never stops at the first.

#include "catalogue/layer_definition.hpp"
#include "catalogue/yaml_node.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace sheaf::catalogue {

/// The file being read and where its mistakes go. Borrowed for the time of reading.
struct ReadContext {
  std::shared_ptr<const SourceText> source;
  Diagnostics& diagnostics;

  void error(Span span, std::string rule, std::string message, std::string hint = {}) const {
    diagnostics.error(source, span, std::move(rule), std::move(message), std::move(hint));
  }
};

/// Text and where it is written.
struct Word {
  std::string text;
  Span span;
};

/// Inclusive bounds.
struct NumberRange {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

// Each reads one value; `what` names it in the message, for example "'kind'" or "an entry of 'needs'".
// Nothing after a mistake, which is reported ("wrong-type", "bad-value").
std::optional<std::string> read_text(const YamlNode& node, std::string_view what, const ReadContext& context);
/// true, false, yes, no, on, off.
std::optional<bool> read_boolean(const YamlNode& node, std::string_view what, const ReadContext& context);
std::optional<std::int64_t> read_number(const YamlNode& node, NumberRange range, std::string_view what,
                                        const ReadContext& context);
/// One of `allowed`.
std::optional<std::string> read_choice(const YamlNode& node, std::span<const std::string> allowed,
                                       std::string_view what, const ReadContext& context);
/// The items of a list; empty after a mistake.
const std::vector<YamlNode>& read_list(const YamlNode& node, std::string_view what, const ReadContext& context);
/// The entries of a map; empty after a mistake.
const std::vector<YamlEntry>& read_map(const YamlNode& node, std::string_view what, const ReadContext& context);

/// Reads one map by its keys. Each key that is asked for is a known one; `finish` reports all others.
class MapReader {
public:
  /// `what` names the map, for example "a layer definition". A null node is an empty map. `node` must outlive this.
  MapReader(const YamlNode& node, std::string what, const ReadContext& context);

  /// The entry of `key`; null if it is absent or has no value.
  const YamlEntry* find_entry(std::string_view key);
  /// The value of that entry.
  const YamlNode* find(std::string_view key);
  /// As `find`, and reports "missing-key".
  const YamlNode* require(std::string_view key);

  std::optional<std::string> text(std::string_view key);
  std::optional<std::string> required_text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::string> choice(std::string_view key, std::span<const std::string> allowed);
  /// A list of text.
  std::vector<Word> words(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  /// A map of text to text, in the order written; the span is that of the key.
  std::vector<std::pair<Word, std::string>> pairs(std::string_view key);

  /// Reports every key that nobody asked for ("unknown-key").
  void finish();

  const ReadContext& context() const { return m_context; }

private:
  const YamlNode& m_node;
  std::string m_what;
  const ReadContext& m_context;
  const std::vector<YamlEntry>& m_entries;
  std::vector<std::string> m_known;
};

/// The key `tests` of a layer or a project: a list of `command` and `expect`.
std::vector<LayerTest> read_tests(MapReader& map);

} // namespace sheaf::catalogue
