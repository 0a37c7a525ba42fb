// SPDX-License-Identifier: Apache-2.0
#include "containerfile/lexer.hpp"

#include "base/suggest.hpp"
#include "containerfile/json_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace sheaf::containerfile {
namespace {

const std::array<std::string, 4> k_directives = {"syntax", "escape", "check", "sheaf"};
// A slip in one of these must not turn the body of its heredoc into instructions.
const std::array<std::string, 3> k_heredoc_keywords = {"RUN", "COPY", "ADD"};
// Longer ones are no slips, and comparing them by edit distance would take long.
constexpr std::size_t k_longest_keyword = 16;

/// A line of the file without its line break.
struct PhysicalLine {
  std::size_t begin = 0;
  std::size_t end = 0;
  /// With its line break.
  std::size_t next = 0;
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return result;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
}

bool can_contain_heredocs(std::string_view text) {
  auto parts = split_instruction(text);
  if (lower(text.substr(parts.keyword.begin, parts.keyword.size())) == "onbuild") {
    text = text.substr(parts.arguments.begin);
    parts = split_instruction(text);
  }
  const auto keyword = text.substr(parts.keyword.begin, parts.keyword.size());
  return keyword.size() < k_longest_keyword && nearest(keyword, k_heredoc_keywords) &&
         read_json_array(text, parts.arguments).form != ArrayForm::array;
}

class Lexer {
public:
  Lexer(std::shared_ptr<const SourceText> source, Diagnostics& diagnostics)
      : m_source(std::move(source)), m_text(m_source->text()), m_diagnostics(diagnostics) {}

  LexedFile run() {
    if (m_text.starts_with("\xEF\xBB\xBF")) {
      m_at = 3;
    }
    while (const auto line = next_line()) {
      const auto content = trimmed(m_text, {line->begin, line->end});
      if (!content.empty() && m_text[content.begin] == '#') {
        comment(content);
        continue;
      }
      m_directives_open = false;
      if (content.empty()) {
        m_comments.clear();
      }
      if (!content.empty()) {
        instruction({content.begin, line->end, line->next});
      }
    }
    return std::move(m_file);
  }

private:
  std::string_view slice(Range range) const { return m_text.substr(range.begin, range.size()); }

  std::optional<PhysicalLine> next_line() {
    if (m_at >= m_text.size()) {
      return std::nullopt;
    }
    const auto newline = m_text.find('\n', m_at);
    PhysicalLine line{m_at, newline, newline + 1};
    if (newline == std::string_view::npos) {
      line.end = line.next = m_text.size();
    }
    while (line.end > line.begin && m_text[line.end - 1] == '\r') {
      --line.end;
    }
    m_at = line.next;
    return line;
  }

  /// Directives come first; the first comment that is none, or a blank line, ends them.
  void comment(Range content) {
    const auto body = trimmed(m_text, {content.begin + 1, content.end});
    m_comments.push_back({std::string(slice(body)), {body.begin, body.end}});
    if (!m_directives_open) {
      return;
    }
    m_directives_open = false;
    const auto separator = slice(body).find_first_of("=:");
    if (separator == std::string_view::npos) {
      return;
    }
    const auto name = trimmed(m_text, {body.begin, body.begin + separator});
    const auto value = trimmed(m_text, {body.begin + separator + 1, body.end});
    const bool is_ours = m_text[body.begin + separator] == ':';
    const auto key = lower(slice(name));
    if (value.empty() || !is_word(key) || is_ours != (key == "sheaf")) {
      return;
    }
    if (std::find(k_directives.begin(), k_directives.end(), key) != k_directives.end()) {
      m_comments.clear();
      directive(key, {content.begin, content.end}, value);
      m_directives_open = true;
    } else if (const auto hint = did_you_mean(key, k_directives); !hint.empty()) {
      m_diagnostics.warning(m_source, {name.begin, name.end}, "unknown-directive",
                            fmt::format("'{}' is no parser directive, so this line is a comment", key), hint);
    }
  }

  void directive(const std::string& name, Span span, Range value) {
    const Span value_span{value.begin, value.end};
    const auto text = slice(value);
    const bool repeated = std::any_of(m_file.directives.begin(), m_file.directives.end(),
                                      [&](const Directive& other) { return other.name == name; });
    if (repeated) {
      m_diagnostics.error(m_source, span, "repeated-directive",
                          fmt::format("the directive '{}' is given more than once", name));
    } else if (name == "escape" && text != "\\" && text != "`") {
      m_diagnostics.error(m_source, value_span, "bad-escape", fmt::format("'{}' cannot be the escape character", text),
                          "it is either '\\' or '`'");
    } else if (name == "sheaf" && text != "extensions") {
      m_diagnostics.error(m_source, value_span, "unknown-directive", fmt::format("sheaf has no directive '{}'", text),
                          "the only one is '# sheaf: extensions'");
    } else if (name == "escape") {
      m_file.escape = text.front();
    } else if (name == "sheaf") {
      m_file.extensions = true;
    }
    m_file.directives.push_back({name, {std::string(text), value_span}, span});
  }

  void instruction(PhysicalLine physical) {
    LogicalLine line;
    bool continued = add_piece(line, physical);
    bool warned = false;
    while (continued) {
      const auto next = next_line();
      if (!next) {
        break;
      }
      const auto content = trimmed(m_text, {next->begin, next->end});
      if (content.empty()) {
        if (!std::exchange(warned, true)) {
          m_file.empty_continuations.push_back({next->begin, next->begin});
        }
      } else if (m_text[content.begin] != '#') {
        continued = add_piece(line, *next);
      }
    }
    line.trim_end();
    if (line.text().empty()) {
      m_diagnostics.error(m_source, {physical.begin, physical.end}, "empty-continuation",
                          "this line continues nothing");
      return;
    }
    heredocs(line);
    line.set_comments(std::exchange(m_comments, {}));
    m_file.lines.push_back(std::move(line));
  }

  /// Adds the line without its continuation mark; true if it has one.
  bool add_piece(LogicalLine& line, PhysicalLine physical) {
    auto end = physical.end;
    while (end > physical.begin && (m_text[end - 1] == ' ' || m_text[end - 1] == '\t')) {
      --end;
    }
    // As in BuildKit: two escape characters at the end of a line are text.
    const bool continued = end > physical.begin && m_text[end - 1] == m_file.escape &&
                           (end - 1 == physical.begin || m_text[end - 2] != m_file.escape);
    const auto last = continued ? end - 1 : physical.end;
    line.append(m_text.substr(physical.begin, last - physical.begin), physical.begin);
    return continued;
  }

  void heredocs(LogicalLine& line) {
    if (line.text().find("<<") == std::string::npos || !can_contain_heredocs(line.text())) {
      return;
    }
    for (auto& marker : heredoc_markers(line.text(), split_instruction(line.text()).arguments)) {
      Heredoc heredoc;
      heredoc.name = {marker.name, line.span(marker.range)};
      heredoc.descriptor = marker.descriptor;
      heredoc.strip_tabs = marker.strip_tabs;
      heredoc.expand = marker.expand;
      heredoc_body(heredoc);
      line.add(std::move(heredoc));
    }
  }

  void heredoc_body(Heredoc& heredoc) {
    heredoc.body_span = {m_at, m_at};
    std::optional<std::size_t> near_miss;
    while (const auto physical = next_line()) {
      auto line = m_text.substr(physical->begin, physical->end - physical->begin);
      if (heredoc.strip_tabs) {
        line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      }
      if (line == heredoc.name.text) {
        return;
      }
      if (!near_miss && slice(trimmed(m_text, {physical->begin, physical->end})) == heredoc.name.text) {
        near_miss = m_source->position(physical->begin).line;
      }
      heredoc.body += m_text.substr(physical->begin, physical->next - physical->begin);
      heredoc.body_span.end = physical->next;
    }
    const auto& name = heredoc.name.text;
    m_diagnostics.error(
        m_source, heredoc.name.span, "unterminated-heredoc", fmt::format("the heredoc '{}' has no end", name),
        near_miss ? fmt::format("line {} has blanks around '{}'; '<<-' allows tabs in front", *near_miss, name)
                  : fmt::format("it ends with a line that says '{}' and nothing else", name));
  }

  std::shared_ptr<const SourceText> m_source;
  std::string_view m_text;
  Diagnostics& m_diagnostics;
  std::size_t m_at = 0;
  bool m_directives_open = true;
  /// The comments since the last instruction, blank line or directive.
  std::vector<Word> m_comments;
  LexedFile m_file;
};

} // namespace

std::string Heredoc::content() const {
  if (!strip_tabs) {
    return body;
  }
  std::string stripped;
  bool at_start = true;
  for (const char c : body) {
    if (!at_start || c != '\t') {
      stripped += c;
      at_start = c == '\n';
    }
  }
  return stripped;
}

void LogicalLine::append(std::string_view text, std::size_t begin) {
  m_pieces.push_back({m_text.size(), begin});
  m_text += text;
}

void LogicalLine::trim_end() { m_text.resize(trimmed(m_text, {0, m_text.size()}).end); }

LogicalLine LogicalLine::from(std::size_t offset) const {
  LogicalLine rest;
  rest.m_heredocs = m_heredocs;
  offset = std::min(offset, m_text.size());
  for (std::size_t i = 0; i < m_pieces.size(); ++i) {
    const auto end = std::min(i + 1 < m_pieces.size() ? m_pieces[i + 1].text_begin : m_text.size(), m_text.size());
    const auto begin = std::max(m_pieces[i].text_begin, offset);
    if (begin < end) {
      rest.append(text({begin, end}), m_pieces[i].source_begin + (begin - m_pieces[i].text_begin));
    }
  }
  return rest;
}

std::size_t LogicalLine::source_offset(std::size_t offset) const {
  const auto after = std::upper_bound(m_pieces.begin(), m_pieces.end(), offset,
                                      [](std::size_t value, const Piece& piece) { return value < piece.text_begin; });
  if (after == m_pieces.begin()) {
    return 0;
  }
  const auto& piece = *std::prev(after);
  return piece.source_begin + (offset - piece.text_begin);
}

Span LogicalLine::span(Range range) const {
  if (range.empty()) {
    // The end of the text is seen from its last character, not from a piece that was trimmed away.
    const auto at = range.begin > 0 ? source_offset(range.begin - 1) + 1 : source_offset(0);
    return {at, at};
  }
  return {source_offset(range.begin), source_offset(range.end - 1) + 1};
}

std::string LogicalLine::display() const {
  std::string shown;
  bool blank_before = false;
  for (std::size_t i = 0; i < m_pieces.size(); ++i) {
    const auto begin = std::min(m_pieces[i].text_begin, m_text.size());
    const auto end = i + 1 < m_pieces.size() ? std::min(m_pieces[i + 1].text_begin, m_text.size()) : m_text.size();
    const auto part = trimmed(m_text, {begin, end});
    if (part.empty()) {
      blank_before = blank_before || end > begin;
      continue;
    }
    shown += !shown.empty() && (blank_before || part.begin > begin) ? " " : "";
    shown += text(part);
    blank_before = part.end < end;
  }
  std::replace_if(shown.begin(), shown.end(), is_blank, ' ');
  return shown;
}

LexedFile lex(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics) {
  return Lexer(source, diagnostics).run();
}

} // namespace sheaf::containerfile
