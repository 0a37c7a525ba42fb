// SPDX-License-Identifier: Apache-2.0
#include "join/accounts.hpp"

#include "base/text.hpp"
#include "join/three_way.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <tuple>

namespace sheaf::join {

namespace {

constexpr std::size_t k_none = 99;

/// What the fields of a file's lines mean, by index.
struct Format {
  std::string_view file;
  std::size_t fields;
  /// The id that the line claims.
  std::size_t id = k_none;
  /// How many ids from that one on; one if there is no such field.
  std::size_t id_count = k_none;
  /// Comma-separated lists.
  std::array<std::size_t, 2> lists = {k_none, k_none};
  /// A day, of which the smaller is kept.
  std::size_t day = k_none;
  FileAttributes attributes = {};
};

constexpr FileAttributes k_secret = {0640, "shadow"};
constexpr std::array<Format, 6> k_formats = {{
    {.file = "etc/passwd", .fields = 7, .id = 2},
    {.file = "etc/group", .fields = 4, .id = 2, .lists = {3, k_none}},
    {.file = "etc/shadow", .fields = 9, .day = 2, .attributes = k_secret},
    {.file = "etc/gshadow", .fields = 4, .lists = {2, 3}, .attributes = k_secret},
    {.file = "etc/subuid", .fields = 3, .id = 1, .id_count = 2},
    {.file = "etc/subgid", .fields = 3, .id = 1, .id_count = 2},
}};

const Format* format_of(std::string_view file) {
  const auto* found =
      std::find_if(k_formats.begin(), k_formats.end(), [&](const auto& format) { return format.file == file; });
  return found == k_formats.end() ? nullptr : &*found;
}

using Fields = std::vector<std::string_view>;

/// Ids [first, last]; nothing for a line that claims none.
struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

std::optional<Range> range_of(const Format& format, std::string_view line) {
  const auto fields = split(line, ':');
  if (format.id >= fields.size()) {
    return std::nullopt;
  }
  const auto first = to_number<std::uint32_t>(fields[format.id]);
  const auto count =
      format.id_count < fields.size() ? to_number<std::uint32_t>(fields[format.id_count]) : std::optional(1U);
  if (!first || !count || *count == 0) {
    return std::nullopt;
  }
  return Range{*first, std::uint64_t{*first} + *count - 1};
}

/// The smaller of two days; a number before none.
std::string_view smaller_day(std::string_view a, std::string_view b) {
  const auto rank = [](std::string_view day) {
    return std::tuple(to_number<std::uint32_t>(day).value_or(std::numeric_limits<std::uint32_t>::max()), day);
  };
  return rank(a) <= rank(b) ? a : b;
}

std::optional<std::string> merge_field(const Format& format, std::size_t index, std::string_view base,
                                       std::string_view a, std::string_view b, bool has_base) {
  if (index == format.lists[0] || index == format.lists[1]) {
    return three_way_set(base, a, b, ",");
  }
  if (index == format.day) {
    return std::string(smaller_day(a, b));
  }
  if (!has_base) {
    return a == b ? std::optional(std::string(a)) : std::nullopt;
  }
  const auto* winner = three_way(base, a, b);
  return winner == nullptr ? std::nullopt : std::optional(std::string(*winner));
}

/// The base is 0, below all layers (`k_base` plus one wraps).
std::size_t place_of(const MergedRecord& merged) { return merged.set_by + 1; }

std::string_view owner_of(std::string_view key) { return key.substr(0, key.find('\n')); }

Conflict id_conflict(const Driver& driver, const FileMerge& merge, const MergedRecord& a, const MergedRecord& b,
                     const Range& shared) {
  const auto layer_of = [&](const MergedRecord& merged) {
    return merged.set_by == k_base ? std::string() : std::string(merge.layers[merged.set_by].name);
  };
  Conflict conflict{std::string(driver.name()),
                    std::string(merge.file),
                    b.record.key,
                    layer_of(a),
                    layer_of(b),
                    a.record.value,
                    b.record.value,
                    {},
                    {}};
  conflict = with_texts(driver, std::move(conflict));
  const auto ids = shared.first == shared.last ? fmt::format("id {} is", shared.first)
                                               : fmt::format("ids {}-{} are", shared.first, shared.last);
  conflict.message = fmt::format("{} taken by both '{}' ({}) and '{}' ({})", ids, owner_of(a.record.key),
                                 layer_text(conflict.layer_a), owner_of(b.record.key), layer_text(conflict.layer_b));
  conflict.remedies[1] = fmt::format("give '{}' an id of its own", owner_of(b.record.key));
  return conflict;
}

} // namespace

bool Accounts::owns(std::string_view file) const { return format_of(file) != nullptr; }

Result<Records> Accounts::parse(std::string_view file, std::string_view text) const {
  Records records;
  for (const auto line : lines_of(text)) {
    const auto colon = line.find(':');
    if (line.empty()) {
      continue;
    }
    if (colon == 0 || colon == std::string_view::npos) {
      return corrupt_at(file, text, static_cast<std::size_t>(line.data() - text.data()), "expected 'name:...'");
    }
    records.push_back({std::string(line.substr(0, colon)), std::string(line)});
  }
  number_repeated_keys(records);
  return records;
}

Result<std::string> Accounts::print(std::string_view /*file*/, const Records& records) const {
  std::string text;
  for (const auto& record : records) {
    text.append(record.value).append("\n");
  }
  return text;
}

void Accounts::order(std::string_view file, Records& records, std::size_t added_from) const {
  const auto* format = format_of(file);
  const auto rank = [&](const Record& record) {
    const auto range = range_of(*format, record.value);
    return std::tuple(range ? range->first : 0, std::string_view(record.key));
  };
  std::sort(records.begin() + static_cast<std::ptrdiff_t>(added_from), records.end(),
            [&](const Record& a, const Record& b) { return rank(a) < rank(b); });
}

bool Accounts::same(std::string_view file, std::string_view a, std::string_view b) const {
  const auto* format = format_of(file);
  auto a_fields = split(a, ':');
  auto b_fields = split(b, ':');
  if (format->day < std::min(a_fields.size(), b_fields.size())) {
    a_fields[format->day] = b_fields[format->day];
  }
  return a_fields == b_fields;
}

std::optional<Reconciled> Accounts::reconcile(const Sides& sides) const {
  if (!sides.current || !sides.after) {
    return std::nullopt;
  }
  const auto* format = format_of(sides.file);
  const auto a = split(*sides.current, ':');
  const auto b = split(*sides.after, ':');
  const auto base = sides.before ? split(*sides.before, ':') : Fields(format->fields);
  if (a.size() != format->fields || b.size() != format->fields || base.size() != format->fields) {
    return std::nullopt;
  }
  std::vector<std::string> merged;
  for (std::size_t i = 0; i < format->fields; ++i) {
    auto field = merge_field(*format, i, base[i], a[i], b[i], sides.before.has_value());
    if (!field) {
      return std::nullopt;
    }
    merged.push_back(std::move(*field));
  }
  return Reconciled{sheaf::joined(merged, ":")};
}

void Accounts::settle(FileMerge& merge) const {
  struct Claim {
    Range range;
    const MergedRecord* merged;
  };
  const auto* format = format_of(merge.file);
  std::vector<Claim> claims;
  for (const auto& merged : merge.records) {
    if (const auto range = range_of(*format, merged.record.value)) {
      claims.push_back({*range, &merged});
    }
  }
  // By layer within an id, so that the earlier layer is named first.
  const auto rank = [](const Claim& claim) {
    return std::tuple(claim.range.first, place_of(*claim.merged), std::string_view(claim.merged->record.key));
  };
  std::sort(claims.begin(), claims.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  const Claim* widest = nullptr;
  for (const auto& claim : claims) {
    if (widest != nullptr && claim.range.first <= widest->range.last) {
      // Two names of one layer, or of the base, may share an id on purpose (useradd -o).
      if (claim.merged->set_by != widest->merged->set_by) {
        const auto later = place_of(*widest->merged) > place_of(*claim.merged);
        const Range shared{claim.range.first, std::min(claim.range.last, widest->range.last)};
        merge.conflicts.push_back(id_conflict(*this, merge, later ? *claim.merged : *widest->merged,
                                              later ? *widest->merged : *claim.merged, shared));
      }
    }
    if (widest == nullptr || claim.range.last > widest->range.last) {
      widest = &claim;
    }
  }
}

FileAttributes Accounts::attributes(std::string_view file) const {
  const auto* format = format_of(file);
  return format == nullptr ? FileAttributes() : format->attributes;
}

} // namespace sheaf::join
