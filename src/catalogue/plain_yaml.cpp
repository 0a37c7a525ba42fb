// SPDX-License-Identifier: Apache-2.0
#include "catalogue/plain_yaml.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace sheaf::catalogue {
namespace {

/// Nesting of flow lists and maps, and of blocks.
constexpr int k_deepest = 16;
/// More entries than this are looked for repeats by somebody who can do it in less time.
constexpr std::size_t k_most_entries = 100;
constexpr std::size_t k_longest_key = 100;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool begins_key(char c) { return is_alnum(c) || c == '_'; }
bool is_in_key(char c) { return begins_key(c) || c == '-' || c == '.' || c == '/'; }
bool begins_plain(char c) { return is_alnum(c) || std::string_view("/._~$(+<^").find(c) != std::string_view::npos; }
bool is_in_flow(char c) { return is_alnum(c) || std::string_view(" _-./=+$~").find(c) != std::string_view::npos; }
bool is_null(std::string_view text) { return text == "~" || text == "null" || text == "Null" || text == "NULL"; }

/// A line with something on it.
struct Line {
  /// Of the first character, and behind the last one, blanks not counted.
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t column = 0;
};

class Reader {
public:
  explicit Reader(std::string_view text) : m_text(text) {}

  std::optional<YamlNode> run() {
    if (!split() || m_lines.empty() || m_lines.front().column != 0) {
      return std::nullopt;
    }
    auto root = map(m_lines.front().begin, 0);
    return m_line == m_lines.size() ? std::move(root) : std::nullopt;
  }

private:
  using Node = std::optional<YamlNode>;

  /// False if there is something that is not plain.
  bool split() {
    for (std::size_t at = 0; at < m_text.size();) {
      const auto newline = std::min(m_text.find('\n', at), m_text.size());
      const auto line = m_text.substr(at, newline - at);
      if (std::any_of(line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; })) {
        return false;
      }
      const auto first = line.find_first_not_of(' ');
      if (first != std::string_view::npos && line[first] != '#') {
        m_lines.push_back({at + first, at + line.find_last_not_of(' ') + 1, first});
      }
      at = newline + 1;
    }
    return true;
  }

  bool is_at_end() const { return m_line == m_lines.size(); }
  std::string_view rest(std::size_t at) const { return m_text.substr(at, m_lines[m_line].end - at); }
  std::size_t skip_blanks(std::size_t at) const {
    while (at < m_lines[m_line].end && m_text[at] == ' ') {
      ++at;
    }
    return at;
  }
  static YamlNode node(YamlNode::Kind kind, std::size_t begin, std::size_t end) {
    return {kind, {begin, end}, {}, {}, {}};
  }
  static YamlNode scalar(Span span, std::string_view text) {
    return {YamlNode::Kind::scalar, span, std::string(text), {}, {}};
  }

  /// How long the key at `at` is, which has a colon behind it; 0 if there is none.
  std::size_t key_at(std::size_t at) const {
    const auto text = rest(at);
    std::size_t size = 0;
    while (size < text.size() && is_in_key(text[size])) {
      ++size;
    }
    const bool ends = size < text.size() && text[size] == ':' && (size + 1 == text.size() || text[size + 1] == ' ');
    return ends && size <= k_longest_key && size > 0 && begins_key(text[0]) && !is_null(text.substr(0, size)) ? size
                                                                                                              : 0;
  }

  static bool add(YamlNode& map, YamlEntry entry) {
    const bool is_known = std::any_of(map.entries.begin(), map.entries.end(),
                                      [&](const YamlEntry& other) { return other.key == entry.key; });
    map.entries.push_back(std::move(entry));
    return !is_known && map.entries.size() <= k_most_entries;
  }

  /// The map whose first key is at `at` of this line; its other keys begin in the same column.
  Node map(std::size_t at, int depth) {
    const auto column = m_lines[m_line].column + at - m_lines[m_line].begin;
    auto result = node(YamlNode::Kind::map, at, m_lines[m_line].end);
    for (;;) {
      const auto size = key_at(at);
      if (size == 0 || depth > k_deepest) {
        return std::nullopt;
      }
      YamlEntry entry{std::string(m_text.substr(at, size)), {at, at + size}, {}};
      auto value = value_of(entry, skip_blanks(at + size + 1), column, depth);
      if (!value) {
        return std::nullopt;
      }
      entry.value = std::move(*value);
      if (!add(result, std::move(entry))) {
        return std::nullopt;
      }
      if (is_at_end() || m_lines[m_line].column < column) {
        return result;
      }
      if (m_lines[m_line].column > column) {
        return std::nullopt; // goes on with the scalar before it
      }
      at = m_lines[m_line].begin;
    }
  }

  /// What is at `at`, behind the key of `entry`, or in the lines below.
  Node value_of(const YamlEntry& entry, std::size_t at, std::size_t column, int depth) {
    if (at < m_lines[m_line].end) {
      return whole_line(at, depth);
    }
    ++m_line;
    if (is_at_end() || m_lines[m_line].column < column) {
      return node(YamlNode::Kind::null, entry.key_span.begin, entry.key_span.end);
    }
    const auto begin = m_lines[m_line].begin;
    if (m_lines[m_line].column == column) { // a list may begin here, too
      return m_text[begin] == '-' ? std::nullopt
                                  : Node(node(YamlNode::Kind::null, entry.key_span.begin, entry.key_span.end));
    }
    return m_text[begin] == '-' ? list(depth + 1) : map(begin, depth + 1);
  }

  Node list(int depth) {
    const auto column = m_lines[m_line].column;
    auto result = node(YamlNode::Kind::list, m_lines[m_line].begin, m_lines[m_line].end);
    while (!is_at_end() && m_lines[m_line].column == column) {
      const auto begin = m_lines[m_line].begin;
      if (!rest(begin).starts_with("- ") || depth > k_deepest) {
        return std::nullopt;
      }
      const auto at = skip_blanks(begin + 1);
      auto item = key_at(at) != 0 ? map(at, depth + 1) : whole_line(at, depth);
      if (!item) {
        return std::nullopt;
      }
      result.items.push_back(std::move(*item));
    }
    return is_at_end() || m_lines[m_line].column < column ? Node(std::move(result)) : std::nullopt;
  }

  /// A value that takes the rest of the line.
  Node whole_line(std::size_t at, int depth) {
    const char first = m_text[at];
    auto value = first == '[' || first == '{' || first == '"' || first == '\'' ? flow(at, depth) : plain(at);
    if (!value || at != m_lines[m_line].end) {
      return std::nullopt;
    }
    ++m_line;
    return value;
  }

  Node plain(std::size_t& at) const {
    const auto text = rest(at);
    const bool is_plain = begins_plain(text[0]) && text.find('#') == std::string_view::npos &&
                          text.find(": ") == std::string_view::npos && !text.ends_with(':') && !is_null(text);
    at += text.size();
    return is_plain ? Node(scalar({at - text.size(), at}, text)) : std::nullopt;
  }

  // The following read within one line and move `at` behind what they read.

  Node flow(std::size_t& at, int depth) {
    if (at >= m_lines[m_line].end || depth > k_deepest) {
      return std::nullopt;
    }
    switch (m_text[at]) {
    case '[':
      return flow_list(at, depth);
    case '{':
      return flow_map(at, depth);
    case '"':
    case '\'':
      return quoted(at);
    default:
      return flow_plain(at);
    }
  }

  Node quoted(std::size_t& at) const {
    const auto begin = at;
    const char quote = m_text[begin];
    const auto text = rest(begin);
    const auto end = text.find(quote, 1);
    const bool is_escaped = end != std::string_view::npos && end + 1 < text.size() && text[end + 1] == quote;
    const auto inner = end == std::string_view::npos ? std::string_view() : text.substr(1, end - 1);
    if (end == std::string_view::npos || is_escaped || inner.find('\\') != std::string_view::npos) {
      return std::nullopt;
    }
    at = begin + end + 1;
    return scalar({begin, at}, inner);
  }

  Node flow_plain(std::size_t& at) const {
    auto text = rest(at);
    text = text.substr(0, text.find_first_of(",[]{}"));
    while (text.ends_with(' ')) {
      text.remove_suffix(1);
    }
    // yaml-cpp takes more characters for the beginning of something else here than YAML does.
    if (text.empty() || !begins_plain(text[0]) || !std::all_of(text.begin(), text.end(), is_in_flow) || is_null(text)) {
      return std::nullopt;
    }
    const auto begin = at;
    at += text.size();
    return scalar({begin, at}, text);
  }

  /// Behind an item: true if another one follows, false at `close`, which is passed. Nothing for anything else.
  std::optional<bool> goes_on(std::size_t& at, char close) const {
    at = skip_blanks(at);
    if (at >= m_lines[m_line].end || (m_text[at] != ',' && m_text[at] != close)) {
      return std::nullopt;
    }
    const bool more = m_text[at] == ',';
    at = more ? skip_blanks(at + 1) : at + 1;
    return more;
  }

  Node flow_list(std::size_t& at, int depth) {
    auto result = node(YamlNode::Kind::list, at, m_lines[m_line].end);
    at = skip_blanks(at + 1);
    if (rest(at).starts_with(']')) {
      ++at;
      return result;
    }
    for (std::optional<bool> more = true; more == true;) {
      auto item = flow(at, depth + 1);
      more = item ? goes_on(at, ']') : std::nullopt;
      if (!more) {
        return std::nullopt;
      }
      result.items.push_back(std::move(*item));
    }
    return result;
  }

  Node flow_map(std::size_t& at, int depth) {
    auto result = node(YamlNode::Kind::map, at, m_lines[m_line].end);
    at = skip_blanks(at + 1);
    if (rest(at).starts_with('}')) {
      ++at;
      return result;
    }
    for (std::optional<bool> more = true; more == true;) {
      const auto size = key_at(at);
      YamlEntry entry{std::string(m_text.substr(at, size)), {at, at + size}, {}};
      at = skip_blanks(at + size + 1);
      auto value = size != 0 ? flow(at, depth + 1) : std::nullopt;
      more = value ? goes_on(at, '}') : std::nullopt;
      if (!more) {
        return std::nullopt;
      }
      entry.value = std::move(*value);
      if (!add(result, std::move(entry))) {
        return std::nullopt;
      }
    }
    return result;
  }

  std::string_view m_text;
  std::vector<Line> m_lines;
  std::size_t m_line = 0;
};

} // namespace

std::optional<YamlNode> parse_plain_yaml(const SourceText& source) { return Reader(source.text()).run(); }

} // namespace sheaf::catalogue
