// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text that a person wrote, with its name, so that a message can point into it.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// Bytes [begin, end) of a SourceText.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
};

/// 1-based; the column counts bytes.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const Position&) const = default;
};

class SourceText {
public:
  /// `name` is shown in messages: a path as the user would write it, or "<command line>".
  SourceText(std::string name, std::string text);

  const std::string& name() const { return m_name; }
  std::string_view text() const { return m_text; }
  /// The position of byte `offset`; an offset past the end is the end.
  Position position(std::size_t offset) const;
  /// The offset of a 1-based position; clamped to the line's end.
  std::size_t offset(Position position) const;
  /// Line `number` (1-based) without its line break; empty if there is none.
  std::string_view line(std::size_t number) const;
  std::size_t line_count() const { return m_starts.size(); }

private:
  std::string m_name;
  std::string m_text;
  std::vector<std::size_t> m_starts;
};

} // namespace sheaf
