// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cuts one logical line into keyword, flags, arguments and words. It works on plain text with offsets; the lexer and
// the AST turn the offsets into spans of the file.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::containerfile {

/// Bytes [begin, end) of a logical line; not of the file, see `Span`.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool empty() const { return begin == end; }
  std::size_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// A word that starts with "--", in front of the arguments.
struct FlagWord {
  Range range;
  /// Without quotes and escapes.
  std::string text;
};

struct InstructionParts {
  Range keyword;
  std::vector<FlagWord> flags;
  /// Without blanks at both ends; empty and at the end of the text if there are none.
  Range arguments;
};

struct QuotedWords {
  /// The words with their quotes and escapes.
  std::vector<Range> words;
  /// False if the text ends inside quotes.
  bool balanced = true;
};

/// A word that announces a heredoc: "<<EOF", "<<-EOF", "3<<'EOF'".
struct HeredocMarker {
  Range range;
  /// Unquoted; the line that ends the heredoc.
  std::string name;
  unsigned descriptor = 0;
  /// "<<-": tabs in front of the lines do not count.
  bool strip_tabs = false;
  /// The name was not quoted, so variables in the body are meant to be expanded.
  bool expand = true;
};

/// Space, tab, VT, FF, CR, LF.
bool is_blank(char c);
/// `range` of `text` without blanks at both ends.
Range trimmed(std::string_view text, Range range);

InstructionParts split_instruction(std::string_view text);
/// Words between blanks; quotes mean nothing (FROM, COPY, ADD).
std::vector<Range> blank_separated(std::string_view text, Range within);
/// Words between blanks that are neither quoted nor escaped (ENV, LABEL, ARG).
QuotedWords quoted_words(std::string_view text, Range within, char escape);
/// The heredocs that the arguments `within` announce, in order; none if its quotes are not balanced, as in BuildKit.
std::vector<HeredocMarker> heredoc_markers(std::string_view text, Range within);
/// The marker if `word` is one and nothing else.
std::optional<HeredocMarker> heredoc_marker(std::string_view text, Range word);

} // namespace sheaf::containerfile
