// SPDX-License-Identifier: Apache-2.0
#include "catalogue/yaml_node.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <unordered_map>
#include <utility>

namespace sheaf::catalogue {
namespace {

constexpr std::size_t k_max_size = std::size_t{512} * 1024;
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

using Source = std::shared_ptr<const SourceText>;

std::size_t offset_of(const SourceText& source, const YAML::Mark& mark) {
  if (mark.line < 0 || mark.column < 0) {
    return 0;
  }
  auto column = static_cast<std::size_t>(mark.column) + 1;
  if (mark.line == 0 && source.text().starts_with(k_byte_order_mark)) {
    column += k_byte_order_mark.size(); // yaml-cpp does not count it
  }
  return source.offset({static_cast<std::size_t>(mark.line) + 1, column});
}

/// From `begin` to the end of its line, without what follows the last visible character.
Span rest_of_line(const SourceText& source, std::size_t begin) {
  const auto text = source.text();
  auto end = std::min(text.find('\n', begin), text.size());
  while (end > begin + 1 && (text[end - 1] == ' ' || text[end - 1] == '\r')) {
    --end;
  }
  return {begin, end};
}

/// The byte behind the quote that closes the one at `begin`; nothing if it stays open.
std::optional<std::size_t> end_of_quoted(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  for (auto at = begin + 1; at < text.size(); ++at) {
    const bool is_doubled = quote == '\'' && text.substr(at, 2) == "''";
    if (is_doubled || (quote == '"' && text[at] == '\\')) {
      ++at;
    } else if (text[at] == quote) {
      return at + 1;
    }
  }
  return std::nullopt;
}

bool is_quoted(std::string_view text, std::size_t begin) {
  return begin < text.size() && (text[begin] == '"' || text[begin] == '\'');
}

/// The extent of a scalar as written. yaml-cpp says only where it starts.
Span scalar_span(const SourceText& source, std::size_t begin, const std::string& value) {
  const auto text = source.text();
  if (is_quoted(text, begin)) {
    return {begin, end_of_quoted(text, begin).value_or(rest_of_line(source, begin).end)};
  }
  if (begin < text.size() && (text[begin] == '|' || text[begin] == '>')) {
    return {begin, begin + 1};
  }
  const auto line = rest_of_line(source, begin);
  return {begin, std::min(line.end, begin + std::max<std::size_t>(1, value.size()))};
}

/// Builds the tree from yaml-cpp's events: cheaper than its own node graph, and the only way to see repeated keys.
class TreeBuilder final : public YAML::EventHandler {
public:
  TreeBuilder(Source source, Diagnostics& diagnostics) : m_source(std::move(source)), m_diagnostics(diagnostics) {}

  YamlNode take() { return std::move(m_root); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    const auto begin = offset_of(*m_source, mark);
    add({YamlNode::Kind::null, {begin, begin}, {}, {}, {}});
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    const auto begin = offset_of(*m_source, mark);
    m_diagnostics.error(m_source, rest_of_line(*m_source, begin), "yaml-syntax", "aliases are not supported",
                        "write the value out");
    leave_out();
  }

  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    const auto begin = offset_of(*m_source, mark);
    const auto span = scalar_span(*m_source, begin, value);
    if (is_quoted(m_source->text(), begin) && !end_of_quoted(m_source->text(), begin)) {
      m_diagnostics.error(m_source, span, "yaml-syntax", "the quote is not closed"); // yaml-cpp lets it pass
    }
    add({YamlNode::Kind::scalar, span, value, {}, {}});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, YamlNode::Kind::list);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

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

  void open(const YAML::Mark& mark, YamlNode::Kind kind) {
    const auto span = rest_of_line(*m_source, offset_of(*m_source, mark));
    m_open.push_back({{kind, span, {}, {}, {}}, {}, false, {}});
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
      value.span = entry.key_span; // yaml-cpp places a missing value at the token that follows
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
  Diagnostics& m_diagnostics;
  YamlNode m_root;
  std::vector<Frame> m_open;
};

/// Advice for the complaints of yaml-cpp that people meet most.
std::string syntax_hint(const std::string& message) {
  if (message == YAML::ErrorMsg::MAP_VALUE) {
    return "put text that contains ': ' in quotes";
  }
  if (message == YAML::ErrorMsg::END_OF_MAP || message == YAML::ErrorMsg::END_OF_SEQ) {
    return "check the indentation of this line";
  }
  if (message == YAML::ErrorMsg::TAB_IN_INDENTATION || message == YAML::ErrorMsg::UNKNOWN_TOKEN) {
    return "indent with spaces, and put text that starts with a special character in quotes";
  }
  return {};
}

/// Whether the bytes are worth handing to yaml-cpp, which takes UTF-16 and stray control characters for text.
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

} // namespace

std::optional<YamlNode> parse_yaml(const Source& source, Diagnostics& diagnostics) {
  if (!is_plain_text(source, diagnostics)) {
    return std::nullopt;
  }
  try {
    std::istringstream stream{std::string(source->text())};
    YAML::Parser parser(stream);
    TreeBuilder first(source, diagnostics);
    parser.HandleNextDocument(first);
    Diagnostics ignored;
    TreeBuilder second(source, ignored);
    if (parser && parser.HandleNextDocument(second)) {
      diagnostics.error(source, second.take().span, "yaml-syntax", "only one document is allowed in a file");
    }
    return first.take();
  } catch (const YAML::Exception& exception) {
    const auto begin = offset_of(*source, exception.mark);
    diagnostics.error(source, {begin, begin + 1}, "yaml-syntax", "not valid YAML: " + exception.msg,
                      syntax_hint(exception.msg));
  } catch (const std::exception& exception) {
    diagnostics.error(source, {}, "yaml-syntax", fmt::format("not valid YAML: {}", exception.what()));
  }
  return std::nullopt;
}

} // namespace sheaf::catalogue
