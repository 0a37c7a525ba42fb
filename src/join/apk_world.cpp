// SPDX-License-Identifier: Apache-2.0
#include "join/apk_world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::join {

namespace {

constexpr std::string_view k_blanks = " \t\r\n";

std::string_view package_of(std::string_view wish) {
  wish.remove_prefix(wish.starts_with('!') ? 1 : 0);
  return wish.substr(0, wish.find_first_of("=<>~@"));
}

bool by_key(const Record& a, const Record& b) { return a.key < b.key; }

std::string text_of(const std::optional<std::string>& wish) {
  return wish ? fmt::format("'{}'", *wish) : std::string("nothing");
}

} // namespace

Result<Records> ApkWorld::parse(std::string_view file, std::string_view text) const {
  Records records;
  for (auto at = text.find_first_not_of(k_blanks); at != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(k_blanks, at), text.size());
    const auto wish = text.substr(at, end - at);
    const auto package = package_of(wish);
    if (package.empty()) {
      return corrupt_at(file, text, at, fmt::format("'{}' names no package", wish));
    }
    records.push_back({std::string(package), std::string(wish)});
    at = text.find_first_not_of(k_blanks, end);
  }
  return with_unique_keys(file, std::move(records));
}

Result<std::string> ApkWorld::print(std::string_view /*file*/, const Records& records) const {
  std::string text;
  for (const auto& record : records) {
    text.append(record.value).append("\n");
  }
  return text;
}

void ApkWorld::order(std::string_view /*file*/, Records& records, std::size_t added_from) const {
  const auto added = records.begin() + static_cast<std::ptrdiff_t>(added_from);
  const bool sorted = std::is_sorted(records.begin(), added, by_key);
  std::sort(sorted ? records.begin() : added, records.end(), by_key);
}

std::optional<Reconciled> ApkWorld::reconcile(const Sides& sides) const {
  if (sides.before || !sides.current || !sides.after) {
    return std::nullopt;
  }
  const auto is_plain = [&](const std::string& wish) { return wish == sides.key; };
  const auto is_constrained = [&](const std::string& wish) { return !is_plain(wish) && !wish.starts_with('!'); };
  if (is_plain(*sides.current) && is_constrained(*sides.after)) {
    return Reconciled{sides.after};
  }
  if (is_plain(*sides.after) && is_constrained(*sides.current)) {
    return Reconciled{sides.current};
  }
  return std::nullopt;
}

std::string ApkWorld::explain(const Conflict& conflict) const {
  return fmt::format("{} asks apk for {} and {} for {}", layer_text(conflict.layer_a), text_of(conflict.value_a),
                     layer_text(conflict.layer_b), text_of(conflict.value_b));
}

} // namespace sheaf::join
