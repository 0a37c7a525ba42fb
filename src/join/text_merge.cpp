// SPDX-License-Identifier: Apache-2.0
#include "join/text_merge.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace sheaf::join {

namespace {

constexpr std::size_t k_most_edits = 2000;

using Lines = std::vector<std::string_view>;

/// With their "\n"; only the last line may have none.
Lines lines_with_ends(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto length = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

/// Base lines [first, last) became `lines`; an addition if first == last.
struct Hunk {
  std::size_t first = 0;
  std::size_t last = 0;
  Lines lines;
  bool operator==(const Hunk&) const = default;
  bool adds() const { return first == last; }
};
using Hunks = std::vector<Hunk>;

/// The shortest edit from `a` to `b`, by the greedy algorithm of Myers ("An O(ND) difference algorithm", 1986).
class Difference {
public:
  Difference(std::span<const std::string_view> a, std::span<const std::string_view> b) : m_a(a), m_b(b) {}

  /// Pairs of equal lines (index in a, index in b), ascending; nothing if there are more than `k_most_edits` edits.
  std::optional<std::vector<std::pair<std::size_t, std::size_t>>> matches() {
    for (std::size_t edits = 0; edits <= k_most_edits; ++edits) {
      if (advance(static_cast<std::ptrdiff_t>(edits))) {
        return walk_back();
      }
    }
    return std::nullopt;
  }

private:
  using Index = std::ptrdiff_t;

  /// How far the paths of `edits` edits got on `diagonal`.
  Index furthest(Index edits, Index diagonal) const {
    return m_steps[static_cast<std::size_t>(edits)][static_cast<std::size_t>(diagonal + edits)];
  }

  /// Is the last edit before diagonal `k` an added line, from the diagonal above? Else it is a deleted one.
  bool by_addition(Index edits, Index k) const {
    return k == -edits || (k != edits && furthest(edits - 1, k - 1) < furthest(edits - 1, k + 1));
  }

  /// The line of `a` that edit number `edits` leads to on diagonal `k`.
  Index start_of(Index edits, Index k) const {
    if (edits == 0) {
      return 0;
    }
    return by_addition(edits, k) ? furthest(edits - 1, k + 1) : furthest(edits - 1, k - 1) + 1;
  }

  /// Extends all paths by one edit; true if one of them reached the end.
  bool advance(Index edits) {
    const auto size_a = static_cast<Index>(m_a.size());
    const auto size_b = static_cast<Index>(m_b.size());
    std::vector<Index> reached(static_cast<std::size_t>(2 * edits + 1), -1);
    bool arrived = false;
    for (Index k = -edits; k <= edits && !arrived; k += 2) {
      auto x = start_of(edits, k);
      while (x < size_a && x - k < size_b && same(x, x - k)) {
        ++x;
      }
      reached[static_cast<std::size_t>(k + edits)] = x;
      arrived = x >= size_a && x - k >= size_b;
      m_end = k;
    }
    m_steps.push_back(std::move(reached));
    return arrived;
  }

  std::vector<std::pair<std::size_t, std::size_t>> walk_back() const {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    auto k = m_end;
    for (auto edits = static_cast<Index>(m_steps.size()) - 1; edits >= 0; --edits) {
      const auto start = start_of(edits, k);
      for (auto x = furthest(edits, k); x-- > start;) {
        pairs.emplace_back(static_cast<std::size_t>(x), static_cast<std::size_t>(x - k));
      }
      if (edits > 0) {
        k += by_addition(edits, k) ? 1 : -1;
      }
    }
    std::reverse(pairs.begin(), pairs.end());
    return pairs;
  }

  bool same(Index x, Index y) const { return m_a[static_cast<std::size_t>(x)] == m_b[static_cast<std::size_t>(y)]; }

  std::span<const std::string_view> m_a;
  std::span<const std::string_view> m_b;
  /// After each number of edits, the furthest line of `a` on each diagonal.
  std::vector<std::vector<Index>> m_steps;
  Index m_end = 0;
};

/// What `side` did to `base`, in order; nothing if it did too much.
std::optional<Hunks> hunks_of(const Lines& base, const Lines& side) {
  const auto shorter = std::min(base.size(), side.size());
  std::size_t head = 0;
  while (head < shorter && base[head] == side[head]) {
    ++head;
  }
  std::size_t tail = 0;
  while (tail < shorter - head && base[base.size() - tail - 1] == side[side.size() - tail - 1]) {
    ++tail;
  }
  const auto a = std::span(base).subspan(head, base.size() - head - tail);
  const auto b = std::span(side).subspan(head, side.size() - head - tail);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  if (!a.empty() && !b.empty()) {
    auto found = Difference(a, b).matches();
    if (!found) {
      return std::nullopt;
    }
    pairs = std::move(*found);
  }
  pairs.emplace_back(a.size(), b.size());
  Hunks hunks;
  std::size_t x = 0;
  std::size_t y = 0;
  for (const auto& [next_x, next_y] : pairs) {
    if (next_x > x || next_y > y) {
      const auto lines = b.subspan(y, next_y - y);
      hunks.push_back({head + x, head + next_x, {lines.begin(), lines.end()}});
    }
    x = next_x + 1;
    y = next_y + 1;
  }
  return hunks;
}

bool touch(const Hunk& a, const Hunk& b) { return !(a.adds() && b.adds()) && a.first <= b.last && b.first <= a.last; }

/// The hunks of all sides in the order of the base, equal ones once; nothing if two are in each other's way.
std::optional<Hunks> united(const std::vector<Hunks>& sides) {
  Hunks all;
  for (const auto& side : sides) {
    for (const auto& hunk : side) {
      if (std::find(all.begin(), all.end(), hunk) == all.end()) {
        all.push_back(hunk);
      }
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return std::tie(a.first, a.last) < std::tie(b.first, b.last); });
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (touch(all[i - 1], all[i])) {
      return std::nullopt;
    }
  }
  return all;
}

std::string apply(const Lines& base, const Hunks& hunks) {
  std::string text;
  std::size_t next = 0;
  const auto copy_to = [&](std::size_t end) {
    for (; next < end; ++next) {
      text += base[next];
    }
  };
  for (const auto& hunk : hunks) {
    copy_to(hunk.first);
    for (const auto line : hunk.lines) {
      text += line;
    }
    next = std::max(next, hunk.last);
  }
  copy_to(base.size());
  return text;
}

/// Where the last line has no newline, an addition and a change of that line look the same.
bool has_whole_lines(std::string_view text) { return text.empty() || text.ends_with('\n'); }

/// The base with what each side appended to it, byte for byte; nothing if one did something else.
std::optional<std::string> append_all(std::string_view base, std::span<const std::string_view> sides) {
  std::string text(base);
  for (const auto side : sides) {
    if (!side.starts_with(base)) {
      return std::nullopt;
    }
    text += side.substr(base.size());
  }
  return text;
}

/// Those that differ from the base, each once.
std::vector<std::string_view> changed_sides(std::optional<std::string_view> base,
                                            std::span<const std::string_view> sides) {
  std::vector<std::string_view> changed;
  for (const auto side : sides) {
    if (side != base && std::find(changed.begin(), changed.end(), side) == changed.end()) {
      changed.push_back(side);
    }
  }
  return changed;
}

} // namespace

std::optional<std::string> merge_texts(std::optional<std::string_view> base, std::span<const std::string_view> sides) {
  const auto changed = changed_sides(base, sides);
  if (changed.empty()) {
    return base ? std::optional<std::string>(*base) : std::nullopt;
  }
  if (changed.size() == 1) {
    return std::string(changed[0]);
  }
  const auto is_binary = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
  const auto unfit = [&is_binary](std::string_view text) { return is_binary(text) || !has_whole_lines(text); };
  if (!base || unfit(*base) || std::any_of(changed.begin(), changed.end(), unfit)) {
    return std::nullopt;
  }
  if (auto appended = append_all(*base, changed)) {
    return appended;
  }
  const auto base_lines = lines_with_ends(*base);
  std::vector<Hunks> hunks;
  for (const auto side : changed) {
    auto found = hunks_of(base_lines, lines_with_ends(side));
    if (!found) {
      return std::nullopt;
    }
    hunks.push_back(std::move(*found));
  }
  const auto merged = united(hunks);
  return merged ? std::optional(apply(base_lines, *merged)) : std::nullopt;
}

} // namespace sheaf::join
