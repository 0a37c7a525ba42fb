// SPDX-License-Identifier: Apache-2.0
#include "catalogue/yaml_node.hpp"

#include <fmt/format.h>

#include <yaml.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace sheaf::catalogue {
namespace {

constexpr std::size_t k_max_size = std::size_t{512} * 1024;
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t k_max_depth = 100;

using Source = std::shared_ptr<const SourceText>;

/// How many bytes are before the text itself.
std::size_t preamble_of(std::string_view text) {
  return text.starts_with(k_byte_order_mark) ? k_byte_order_mark.size() : 0;
}

/// Turns libyaml's marks, which count the characters of the text, into offsets of bytes. They come nearly in order.
class ByteOffsets {
public:
  explicit ByteOffsets(std::string_view text) : m_text(text), m_bytes(preamble_of(text)) {}

  std::size_t at(const yaml_mark_t& mark) {
    for (; m_characters < mark.index && m_bytes < m_text.size(); ++m_characters) {
      ++m_bytes;
      while (is_continued(m_bytes)) {
        ++m_bytes;
      }
    }
    for (; m_characters > mark.index && m_bytes > 0; --m_characters) {
      --m_bytes;
      while (is_continued(m_bytes)) {
        --m_bytes;
      }
    }
    return m_bytes;
  }

private:
  /// Is this a byte of a character that began before?
  bool is_continued(std::size_t byte) const {
    constexpr unsigned k_top_two_bits = 0xC0;
    return byte > 0 && byte < m_text.size() && (static_cast<unsigned char>(m_text[byte]) & k_top_two_bits) == 0x80;
  }

  std::string_view m_text;
  std::size_t m_characters = 0;
  std::size_t m_bytes;
};

/// From `begin` to the end of its line, without what follows the last visible character.
Span rest_of_line(const SourceText& source, std::size_t begin) {
  const auto text = source.text();
  auto end = std::min(text.find('\n', begin), text.size());
  while (end > begin + 1 && (text[end - 1] == ' ' || text[end - 1] == '\r')) {
    --end;
  }
  return {begin, end};
}

std::string_view text_of(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  // NOLINTNEXTLINE(*-reinterpret-cast): libyaml's bytes are unsigned
  return {reinterpret_cast<const char*>(scalar.value), scalar.length};
}

bool is_null(const yaml_event_t& event) {
  constexpr std::array<std::string_view, 5> k_null = {"", "~", "null", "Null", "NULL"};
  const auto& scalar = event.data.scalar;
  return scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr &&
         std::ranges::count(k_null, text_of(event)) > 0;
}

/// Builds the tree from libyaml's events: its own node graph does not show repeated keys.
class TreeBuilder {
public:
  TreeBuilder(Source source, Diagnostics& diagnostics)
      : m_source(std::move(source)), m_offsets(m_source->text()), m_diagnostics(diagnostics) {}

  YamlNode take() { return std::move(m_root); }
  std::size_t offset_of(const yaml_mark_t& mark) { return m_offsets.at(mark); }
  bool is_too_deep() const { return m_open.size() > k_max_depth; }

  /// One of a node; others are not looked at.
  void on(const yaml_event_t& event) {
    const auto begin = offset_of(event.start_mark);
    switch (event.type) {
    case YAML_ALIAS_EVENT:
      m_diagnostics.error(m_source, rest_of_line(*m_source, begin), "yaml-syntax", "aliases are not supported",
                          "write the value out");
      return leave_out();
    case YAML_SCALAR_EVENT:
      return on_scalar(event, begin);
    case YAML_SEQUENCE_START_EVENT:
      return open(begin, YamlNode::Kind::list);
    case YAML_MAPPING_START_EVENT:
      return open(begin, YamlNode::Kind::map);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      return close();
    default:
      return;
    }
  }

private:
  /// A list or map whose end has not been seen.
  struct Frame {
    YamlNode node;
    /// The key whose value comes next.
    std::optional<YamlEntry> pending;
    /// The pending key was reported, its value goes nowhere.
    bool is_broken = false;
    std::unordered_map<std::string, Span> keys;
  };

  void on_scalar(const yaml_event_t& event, std::size_t begin) {
    const auto& scalar = event.data.scalar;
    if (is_null(event)) {
      return add({YamlNode::Kind::null, {begin, begin}, {}, {}, {}});
    }
    const bool is_block = scalar.style == YAML_LITERAL_SCALAR_STYLE || scalar.style == YAML_FOLDED_SCALAR_STYLE;
    const auto end = is_block ? begin + 1 : offset_of(event.end_mark);
    add({YamlNode::Kind::scalar, {begin, end}, std::string(text_of(event)), {}, {}});
  }

  void open(std::size_t begin, YamlNode::Kind kind) {
    m_open.push_back({{kind, rest_of_line(*m_source, begin), {}, {}, {}}, {}, false, {}});
  }

  void close() {
    auto node = std::move(m_open.back().node);
    m_open.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (m_open.empty()) {
      m_root = std::move(node);
    } else if (auto& frame = m_open.back(); frame.node.kind == YamlNode::Kind::list) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.pending) {
      frame.is_broken = node.kind != YamlNode::Kind::scalar;
      if (frame.is_broken) {
        m_diagnostics.error(m_source, node.span, "wrong-type", "a key must be text");
      }
      frame.pending = YamlEntry{std::move(node.text), node.span, {}};
    } else {
      add_value(frame, std::move(node));
    }
  }

  /// In place of a node that was reported, so that it does not cause further messages.
  void leave_out() {
    if (m_open.empty() || m_open.back().node.kind == YamlNode::Kind::list) {
      return;
    }
    auto& frame = m_open.back();
    frame.is_broken = !frame.pending;
    frame.pending = frame.pending ? std::nullopt : std::optional(YamlEntry());
  }

  void add_value(Frame& frame, YamlNode value) {
    auto entry = *std::exchange(frame.pending, std::nullopt);
    if (std::exchange(frame.is_broken, false)) {
      return;
    }
    if (value.kind == YamlNode::Kind::null) {
      value.span = entry.key_span; // a missing value has no place of its own
    }
    const auto [first, is_new] = frame.keys.emplace(entry.key, entry.key_span);
    if (!is_new) {
      const auto line = m_source->position(first->second.begin).line;
      m_diagnostics.error(m_source, entry.key_span, "duplicate-key", fmt::format("'{}' is set twice", entry.key),
                          fmt::format("the first is in line {}", line));
      return;
    }
    entry.value = std::move(value);
    frame.node.entries.push_back(std::move(entry));
  }

  Source m_source;
  ByteOffsets m_offsets;
  Diagnostics& m_diagnostics;
  YamlNode m_root;
  std::vector<Frame> m_open;
};

/// Advice for the complaints of libyaml that people meet most.
std::string syntax_hint(std::string_view problem) {
  if (problem == "mapping values are not allowed in this context") {
    return "put text that contains ': ' in quotes";
  }
  if (problem == "did not find expected key" || problem == "did not find expected '-' indicator" ||
      problem == "could not find expected ':'") {
    return "check the indentation of this line, and that a key ends with ':'";
  }
  if (problem.starts_with("found character that cannot start") || problem.starts_with("found a tab character")) {
    return "indent with spaces, and put text that starts with a special character in quotes";
  }
  return {};
}

/// Whether the bytes are worth handing to libyaml.
bool is_plain_text(const Source& source, Diagnostics& diagnostics) {
  const auto text = source->text();
  if (text.size() > k_max_size) {
    diagnostics.error(source, {}, "yaml-syntax", fmt::format("the file is larger than {} KiB", k_max_size / 1024));
    return false;
  }
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\t' && c != '\n' && c != '\r';
  };
  const auto* bad = std::ranges::find_if(text, is_control);
  if (bad != text.end()) {
    const auto begin = static_cast<std::size_t>(bad - text.begin());
    diagnostics.error(source, {begin, begin + 1}, "yaml-syntax", "not text: control character",
                      "save the file as UTF-8 text");
    return false;
  }
  return true;
}

/// libyaml's parser over a text, and the event it is at.
class EventReader {
public:
  explicit EventReader(std::string_view text) {
    text.remove_prefix(preamble_of(text));
    yaml_parser_initialize(&m_parser); // fails for lack of memory alone; then no event comes
    yaml_parser_set_encoding(&m_parser, YAML_UTF8_ENCODING);
    // NOLINTNEXTLINE(*-reinterpret-cast): libyaml's bytes are unsigned
    yaml_parser_set_input_string(&m_parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;
  ~EventReader() {
    yaml_event_delete(&m_event);
    yaml_parser_delete(&m_parser);
  }

  /// False if the text is not YAML: `parser` says why.
  bool next() {
    yaml_event_delete(&m_event);
    return yaml_parser_parse(&m_parser, &m_event) != 0;
  }

  const yaml_event_t& event() const { return m_event; }
  const yaml_parser_t& parser() const { return m_parser; }

private:
  yaml_parser_t m_parser{};
  yaml_event_t m_event{};
};

/// What libyaml complained of, in the words and at the place that help most.
void report(const yaml_parser_t& parser, const Source& source, TreeBuilder& tree, Diagnostics& diagnostics) {
  const std::string_view problem = parser.problem != nullptr ? parser.problem : "it cannot be read";
  const std::string_view context = parser.context != nullptr ? parser.context : "";
  if (parser.error == YAML_READER_ERROR) {
    const auto begin = std::min(preamble_of(source->text()) + parser.problem_offset, source->text().size());
    diagnostics.error(source, {begin, begin + 1}, "yaml-syntax", fmt::format("not text: {}", problem),
                      "save the file as UTF-8 text");
  } else if (context == "while scanning a quoted scalar" && problem == "found unexpected end of stream") {
    const auto begin = tree.offset_of(parser.context_mark);
    diagnostics.error(source, rest_of_line(*source, begin), "yaml-syntax", "the quote is not closed");
  } else {
    const auto begin = tree.offset_of(parser.problem_mark);
    const auto hint = context.starts_with("while parsing a flow")
                          ? fmt::format("the bracket was opened in line {}", parser.context_mark.line + 1)
                          : syntax_hint(problem);
    diagnostics.error(source, {begin, begin + 1}, "yaml-syntax", fmt::format("not valid YAML: {}", problem), hint);
  }
}

} // namespace

std::optional<YamlNode> parse_yaml(const Source& source, Diagnostics& diagnostics) {
  if (!is_plain_text(source, diagnostics)) {
    return std::nullopt;
  }
  EventReader reader(source->text());
  TreeBuilder tree(source, diagnostics);
  for (int documents = 0; reader.next();) {
    const auto& event = reader.event();
    if (event.type == YAML_STREAM_END_EVENT) {
      return tree.take();
    }
    documents += event.type == YAML_DOCUMENT_START_EVENT ? 1 : 0;
    const bool is_node = event.type != YAML_DOCUMENT_START_EVENT;
    if (documents > 1 && is_node) {
      const auto begin = tree.offset_of(event.start_mark);
      diagnostics.error(source, rest_of_line(*source, begin), "yaml-syntax", "only one document is allowed in a file");
      return tree.take();
    }
    tree.on(event);
    if (tree.is_too_deep()) {
      const auto begin = tree.offset_of(event.start_mark);
      diagnostics.error(source, {begin, begin + 1}, "yaml-syntax",
                        fmt::format("lists and maps are nested more than {} deep", k_max_depth));
      return std::nullopt;
    }
  }
  report(reader.parser(), source, tree, diagnostics);
  return std::nullopt;
}

} // namespace sheaf::catalogue
