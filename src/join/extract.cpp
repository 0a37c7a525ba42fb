// SPDX-License-Identifier: Apache-2.0
#include "join/extract.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace sheaf::join {

namespace {

Result<Records> parse(const Driver& driver, std::string_view file, std::optional<std::string_view> text,
                      std::string_view whose) {
  if (!text) {
    return Records();
  }
  return driver.parse(file, *text).context(fmt::format("reading '/{}' of the {}", file, whose));
}

} // namespace

Result<std::vector<RecordChange>> extract(const Driver& driver, std::string_view file,
                                          std::optional<std::string_view> base_text,
                                          std::optional<std::string_view> upper_text) {
  SHEAF_TRY_ASSIGN(Records base, parse(driver, file, base_text, "parent view"));
  SHEAF_TRY_ASSIGN(Records upper, parse(driver, file, upper_text, "layer"));
  std::unordered_map<std::string_view, Record*> left;
  left.reserve(base.size());
  for (auto& record : base) {
    left.emplace(record.key, &record);
  }
  std::vector<RecordChange> changes;
  for (auto& record : upper) {
    const auto found = left.find(record.key);
    if (found == left.end()) {
      changes.push_back({std::string(file), std::move(record.key), std::nullopt, std::move(record.value)});
      continue;
    }
    auto& before = found->second->value;
    if (!driver.same(file, before, record.value)) {
      changes.push_back({std::string(file), record.key, std::move(before), std::move(record.value)});
    }
    left.erase(found);
  }
  for (const auto& [key, record] : left) {
    changes.push_back({std::string(file), std::string(key), std::move(record->value), std::nullopt});
  }
  if (!base_text && upper_text && driver.keeps_order() && upper.size() > 1) {
    changes.push_back({std::string(file), std::string(k_order_key), std::nullopt, std::string(*upper_text)});
  }
  std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return changes;
}

} // namespace sheaf::join
