// SPDX-License-Identifier: Apache-2.0
#include "join/ld_so_cache.hpp"

#include "base/text.hpp"
#include "join/ld_so_cache_file.hpp"
#include "join/three_way.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

namespace sheaf::join {

namespace {

constexpr std::string_view k_generator = "generator";
constexpr std::string_view k_library = "library\t";
constexpr std::string_view k_string = "string\t";

/// A library with what decides its place.
struct Placed {
  CachedLibrary library;
  std::string_view key;
  /// Keys of equal libraries that come before it, separated by newlines.
  std::string_view after;
};

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

std::string key_of(const CachedLibrary& library) {
  const auto hwcap = library.subdirectory.empty() ? fmt::format("{:#x}", library.hwcap)
                                                  : fmt::format("{}:{:x}", library.subdirectory, library.isa_level);
  return fmt::format("{}{}\t{:x}\t{:x}\t{}\t{}", k_library, library.soname, static_cast<std::uint32_t>(library.flags),
                     library.os_version, hwcap, library.path);
}

std::optional<CachedLibrary> library_from(std::string_view key) {
  const auto fields = split(key, '\t');
  if (fields.size() != 6 || !std::all_of(fields.begin(), fields.end(), is_plain)) {
    return std::nullopt;
  }
  const auto flags = to_number<std::uint32_t>(fields[2], 16);
  const auto os_version = to_number<std::uint32_t>(fields[3], 16);
  if (!flags || !os_version) {
    return std::nullopt;
  }
  CachedLibrary library{
      std::string(fields[1]), std::string(fields[5]), static_cast<std::int32_t>(*flags), *os_version, 0, {}, 0};
  const auto hwcap = fields[4];
  const auto colon = hwcap.rfind(':');
  if (colon == std::string_view::npos) {
    const auto bits = hwcap.starts_with("0x") ? to_number<std::uint64_t>(hwcap.substr(2), 16) : std::nullopt;
    library.hwcap = bits.value_or(0);
    return bits ? std::optional(std::move(library)) : std::nullopt;
  }
  const auto isa_level = to_number<std::uint32_t>(hwcap.substr(colon + 1), 16);
  library.subdirectory = hwcap.substr(0, colon);
  library.isa_level = isa_level.value_or(0);
  return isa_level && !library.subdirectory.empty() ? std::optional(std::move(library)) : std::nullopt;
}

/// Orders libraries that compare as equal: by path, but none before those it has to come after. A cycle, which only
/// contradicting layers can make, is cut at the first path.
void order_equal(std::span<Placed> equal) {
  std::sort(equal.begin(), equal.end(), [](const auto& a, const auto& b) { return a.library.path < b.library.path; });
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < equal.size(); ++i) {
    index.emplace(equal[i].key, i);
  }
  std::vector<std::vector<std::size_t>> followers(equal.size());
  std::vector<std::size_t> waits_for(equal.size());
  for (std::size_t i = 0; i < equal.size(); ++i) {
    for (const auto key : split(equal[i].after, '\n')) {
      if (const auto found = index.find(key); found != index.end() && found->second != i) {
        followers[found->second].push_back(i);
        ++waits_for[i];
      }
    }
  }
  std::set<std::pair<std::size_t, std::size_t>> queue; // (waits for, place by path)
  for (std::size_t i = 0; i < equal.size(); ++i) {
    queue.emplace(waits_for[i], i);
  }
  std::vector<Placed> ordered;
  while (!queue.empty()) {
    const auto next = queue.extract(queue.begin()).value().second;
    for (const auto follower : followers[next]) {
      if (queue.erase({waits_for[follower], follower}) != 0) {
        queue.emplace(--waits_for[follower], follower);
      }
    }
    ordered.push_back(std::move(equal[next]));
  }
  std::move(ordered.begin(), ordered.end(), equal.begin());
}

void order_libraries(std::vector<Placed>& libraries) {
  std::sort(libraries.begin(), libraries.end(),
            [](const auto& a, const auto& b) { return compare_libraries(a.library, b.library) < 0; });
  for (auto first = libraries.begin(); first != libraries.end();) {
    const auto last = std::find_if(first, libraries.end(), [&](const auto& placed) {
      return compare_libraries(first->library, placed.library) != 0;
    });
    if (last - first > 1) {
      order_equal({first, last});
    }
    first = last;
  }
}

} // namespace

Result<Records> LdSoCache::parse(std::string_view file, std::string_view text) const {
  SHEAF_TRY_ASSIGN(LdSoCacheFile cache, LdSoCacheFile::parse(text));
  Records records;
  records.reserve(cache.libraries.size() + 1);
  records.push_back({std::string(k_generator), std::move(cache.generator)});
  for (auto& string : cache.unused_strings) {
    if (!is_plain(string)) {
      return Error(ErrorCode::corrupt, fmt::format("'/{}': control characters in a name", file));
    }
    records.push_back({std::string(k_string) + string, {}});
  }
  const CachedLibrary* previous = nullptr;
  for (const auto& library : cache.libraries) {
    if (!is_plain(library.soname) || !is_plain(library.path) || !is_plain(library.subdirectory)) {
      return Error(ErrorCode::corrupt, fmt::format("'/{}': control characters in a name", file));
    }
    const bool equal = previous != nullptr && compare_libraries(*previous, library) == 0;
    records.push_back({key_of(library), equal ? records.back().key : std::string()});
    previous = &library;
  }
  return with_unique_keys(file, std::move(records));
}

Result<std::string> LdSoCache::print(std::string_view file, const Records& records) const {
  LdSoCacheFile cache;
  std::vector<Placed> libraries;
  libraries.reserve(records.size());
  for (const auto& record : records) {
    const std::string_view key = record.key;
    if (key == k_generator) {
      cache.generator = record.value;
    } else if (key.starts_with(k_string) && is_plain(key.substr(k_string.size()))) {
      cache.unused_strings.emplace_back(key.substr(k_string.size()));
    } else if (auto library = key.starts_with(k_library) ? library_from(key) : std::nullopt) {
      libraries.push_back({std::move(*library), key, record.value});
    } else {
      return Error(ErrorCode::corrupt, fmt::format("'/{}': '{}' is no entry of the cache", file, key));
    }
  }
  order_libraries(libraries);
  cache.libraries.reserve(libraries.size());
  for (auto& placed : libraries) {
    cache.libraries.push_back(std::move(placed.library));
  }
  return cache.print();
}

void LdSoCache::order(std::string_view /*file*/, Records& /*records*/, std::size_t /*added_from*/) const {}

std::optional<Reconciled> LdSoCache::reconcile(const Sides& sides) const {
  if (sides.key == k_generator) {
    return std::nullopt;
  }
  if (!sides.current || !sides.after) {
    return Reconciled{std::nullopt};
  }
  const std::string_view before = sides.before ? std::string_view(*sides.before) : std::string_view();
  return Reconciled{three_way_set(before, *sides.current, *sides.after, "\n")};
}

std::string LdSoCache::explain(const Conflict& conflict) const {
  return fmt::format("{} and {} ran different versions of ldconfig", layer_text(conflict.layer_a),
                     layer_text(conflict.layer_b));
}

} // namespace sheaf::join
