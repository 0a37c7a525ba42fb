// SPDX-License-Identifier: Apache-2.0
#include "join/diversions.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace sheaf::join {

Result<Records> Diversions::parse(std::string_view file, std::string_view text) const {
  const auto lines = lines_of(text);
  Records records;
  for (std::size_t i = 0; i < lines.size(); i += 3) {
    if (lines[i].empty() || lines.size() - i < 3) {
      return corrupt_at(file, text, static_cast<std::size_t>(lines[i].data() - text.data()),
                        "expected a diversion of three lines");
    }
    records.push_back({std::string(lines[i]), fmt::format("{}\n{}\n{}\n", lines[i], lines[i + 1], lines[i + 2])});
  }
  return with_unique_keys(file, std::move(records));
}

Result<std::string> Diversions::print(std::string_view /*file*/, const Records& records) const {
  std::string text;
  for (const auto& record : records) {
    text += record.value;
  }
  return text;
}

} // namespace sheaf::join
