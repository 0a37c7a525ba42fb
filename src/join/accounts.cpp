// SPDX-License-Identifier: Apache-2.0
#include "join/accounts.hpp"

#include "base/text.hpp"
#include "join/three_way.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_map>

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
  bool operator==(const Range&) const = default;
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

/// A record that holds ids.
struct Claim {
  Range range;
  /// Indices of the layers that gave the record these ids, ascending; none: the base did.
  std::vector<std::size_t> claimants;
  const MergedRecord* merged;
};

/// A layer that gave a record its ids, and which.
struct Claimant {
  std::size_t layer = 0;
  Range range;
};
using Claimants = std::unordered_map<std::string_view, std::vector<Claimant>>;

/// By key: the layers that changed the ids of the record. Who changed another field of a line claims nothing, else it
/// would depend on the order of two layers that change a line alike which of them holds the id.
Claimants claimants_of(const Format& format, const FileMerge& merge) {
  Claimants claimants;
  for (std::size_t i = 0; i < merge.layers.size(); ++i) {
    for (const auto& change : merge.layers[i].facts->changes) {
      if (change.file != merge.file || !change.after) {
        continue;
      }
      const auto before = change.before ? range_of(format, *change.before) : std::nullopt;
      const auto after = range_of(format, *change.after);
      if (after && before != after) {
        claimants[change.key].push_back({i, *after});
      }
    }
  }
  return claimants;
}

/// Those that wanted the very `range`; all who changed the ids, if it was made of the wishes of several.
std::vector<std::size_t> who_claims(const Claimants& claimants, std::string_view key, const Range& range) {
  const auto found = claimants.find(key);
  if (found == claimants.end()) {
    return {};
  }
  std::vector<std::size_t> exactly;
  std::vector<std::size_t> all;
  for (const auto& claimant : found->second) {
    all.push_back(claimant.layer);
    if (claimant.range == range) {
      exactly.push_back(claimant.layer);
    }
  }
  return exactly.empty() ? all : exactly;
}

/// Two names of one layer, or of the base, may share an id on purpose (useradd -o).
bool share_a_claimant(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  return (a.empty() && b.empty()) || std::ranges::find_first_of(a, b) != a.end();
}

std::string_view owner_of(std::string_view key) { return key.substr(0, key.find('\n')); }

/// `a` is of the earlier layer.
Conflict id_conflict(const Driver& driver, const FileMerge& merge, const Claim& a, const Claim& b,
                     const Range& shared) {
  const auto layer_of = [&](const Claim& claim) {
    return claim.claimants.empty() ? std::string() : std::string(merge.layers[claim.claimants.front()].name);
  };
  const auto& one = a.merged->record;
  const auto& other = b.merged->record;
  Conflict conflict{std::string(driver.name()),
                    std::string(merge.file),
                    other.key,
                    layer_of(a),
                    layer_of(b),
                    one.value,
                    other.value,
                    {},
                    {}};
  conflict = with_texts(driver, std::move(conflict));
  const auto ids = shared.first == shared.last ? fmt::format("id {} is", shared.first)
                                               : fmt::format("ids {}-{} are", shared.first, shared.last);
  conflict.message = fmt::format("{} taken by both '{}' ({}) and '{}' ({})", ids, owner_of(one.key),
                                 layer_text(conflict.layer_a), owner_of(other.key), layer_text(conflict.layer_b));
  conflict.remedies[1] = fmt::format("give '{}' an id of its own", owner_of(other.key));
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
  const auto& format = *format_of(merge.file);
  const auto claimants = claimants_of(format, merge);
  std::vector<Claim> claims;
  for (const auto& merged : merge.records) {
    if (const auto range = range_of(format, merged.record.value)) {
      claims.push_back({*range, who_claims(claimants, merged.record.key, *range), &merged});
    }
  }
  const auto rank = [](const Claim& claim) {
    return std::tie(claim.range.first, claim.claimants, claim.merged->record.key);
  };
  std::sort(claims.begin(), claims.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  // Who claims the same is interchangeable, so that of each such group the widest range is enough.
  std::map<std::vector<std::size_t>, const Claim*> widest;
  for (const auto& claim : claims) {
    for (const auto& [others, other] : widest) {
      if (claim.range.first <= other->range.last && !share_a_claimant(others, claim.claimants)) {
        const bool later = other->claimants > claim.claimants;
        const Range shared{claim.range.first, std::min(claim.range.last, other->range.last)};
        merge.conflicts.push_back(id_conflict(*this, merge, later ? claim : *other, later ? *other : claim, shared));
        break;
      }
    }
    auto& mine = widest.try_emplace(claim.claimants, &claim).first->second;
    mine = claim.range.last > mine->range.last ? &claim : mine;
  }
}

FileAttributes Accounts::attributes(std::string_view file) const {
  const auto* format = format_of(file);
  return format == nullptr ? FileAttributes() : format->attributes;
}

} // namespace sheaf::join
