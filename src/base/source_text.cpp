// SPDX-License-Identifier: Apache-2.0
#include "base/source_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sheaf {

SourceText::SourceText(std::string name, std::string text) : m_name(std::move(name)), m_text(std::move(text)) {
  m_starts.push_back(0);
  for (std::size_t i = 0; i < m_text.size(); ++i) {
    if (m_text[i] == '\n') {
      m_starts.push_back(i + 1);
    }
  }
}

Position SourceText::position(std::size_t offset) const {
  offset = std::min(offset, m_text.size());
  const auto next = std::upper_bound(m_starts.begin(), m_starts.end(), offset);
  const auto line = static_cast<std::size_t>(std::distance(m_starts.begin(), next));
  return {line, offset - m_starts[line - 1] + 1};
}

std::size_t SourceText::offset(Position position) const {
  if (position.line == 0 || position.line > m_starts.size()) {
    return m_text.size();
  }
  const auto start = m_starts[position.line - 1];
  return start + std::min(position.column > 0 ? position.column - 1 : 0, line(position.line).size());
}

std::string_view SourceText::line(std::size_t number) const {
  if (number == 0 || number > m_starts.size()) {
    return {};
  }
  const auto start = m_starts[number - 1];
  auto end = number < m_starts.size() ? m_starts[number] - 1 : m_text.size();
  if (end > start && m_text[end - 1] == '\r') {
    --end;
  }
  return std::string_view(m_text).substr(start, end - start);
}

} // namespace sheaf
