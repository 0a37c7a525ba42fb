// SPDX-License-Identifier: Apache-2.0
#pragma once

// Columns of text, for lists on standard output.

#include <string>
#include <vector>

namespace sheaf::ui {

class Table {
public:
  explicit Table(std::vector<std::string> titles) : m_rows{std::move(titles)} {}
  /// As many cells as there are titles.
  void add(std::vector<std::string> cells) { m_rows.push_back(std::move(cells)); }
  /// Columns padded to their widest cell, two spaces between, no trailing blanks; the titles first.
  std::string to_string() const;

private:
  std::vector<std::vector<std::string>> m_rows;
};

} // namespace sheaf::ui
