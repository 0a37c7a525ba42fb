// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text -> parser directives and logical lines: comments dropped, continued lines joined, heredocs collected. It follows
// BuildKit's parser, oddities included, for the whole Dockerfile language, also for what later stages refuse.

#include "base/diagnostics.hpp"
#include "base/source_text.hpp"
#include "containerfile/scan.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::containerfile {

/// Text and where it stands in the file. The text of a token that was continued over lines is joined.
struct Word {
  std::string text;
  Span span;
};

/// `# syntax=...`, `# escape=...`, `# check=...` or `# sheaf: extensions`, at the top of the file.
struct Directive {
  /// Lower case: "syntax", "escape", "check" or "sheaf".
  std::string name;
  Word value;
  Span span;
};

struct Heredoc {
  /// Its name, with the span of the whole marker ("<<-EOF").
  Word name;
  /// The lines up to the one that ends it, as written, each with its line break.
  std::string body;
  Span body_span;
  unsigned descriptor = 0;
  bool strip_tabs = false;
  bool expand = true;

  /// The body as the reader of the heredoc sees it: without leading tabs for "<<-".
  std::string content() const;
};

/// One instruction: the lines it was written on, joined, without comments and trailing blanks.
class LogicalLine {
public:
  const std::string& text() const { return m_text; }
  std::string_view text(Range range) const { return std::string_view(m_text).substr(range.begin, range.size()); }
  /// The place of `range` in the file. For a range over several lines it includes what stands between its parts.
  Span span(Range range) const;
  /// From the first character to the end of the last line, without heredoc bodies.
  Span span() const { return span({0, m_text.size()}); }
  Word word(Range range) const { return {std::string(text(range)), span(range)}; }
  /// For people: every line break with the blanks around it is one space, a tab is one, too.
  std::string display() const;

  /// In the order of their markers.
  const std::vector<Heredoc>& heredocs() const { return m_heredocs; }
  /// The comment lines that stand right above, without '#' and the blanks around.
  const std::vector<Word>& comments() const { return m_comments; }
  /// What follows `offset`, as a line of its own with the same heredocs: the instruction in an ONBUILD.
  LogicalLine from(std::size_t offset) const;

  /// Adds bytes [begin, begin + text.size()) of the file.
  void append(std::string_view text, std::size_t begin);
  void trim_end();
  void add(Heredoc heredoc) { m_heredocs.push_back(std::move(heredoc)); }
  void set_comments(std::vector<Word> comments) { m_comments = std::move(comments); }

private:
  struct Piece {
    std::size_t text_begin;
    std::size_t source_begin;
  };
  std::size_t source_offset(std::size_t offset) const;

  std::string m_text;
  std::vector<Piece> m_pieces;
  std::vector<Heredoc> m_heredocs;
  std::vector<Word> m_comments;
};

struct LexedFile {
  std::vector<Directive> directives;
  char escape = '\\';
  /// `# sheaf: extensions` was said.
  bool extensions = false;
  std::vector<LogicalLine> lines;
  /// The places of empty lines within continued instructions, the first of each instruction.
  std::vector<Span> empty_continuations;
};

/// Mistakes in directives, heredocs and continuations go to `diagnostics`; the result is usable all the same.
LexedFile lex(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics);

} // namespace sheaf::containerfile
