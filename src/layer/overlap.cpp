// SPDX-License-Identifier: Apache-2.0
#include "layer/overlap.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <queue>
#include <tuple>

namespace sheaf::layer {
namespace {

/// One layer's say about a path.
struct Claim {
  const LayerPaths* layer;
  const InventoryLine* line;
};

bool sequential(const Claim& a, const Claim& b) {
  return a.layer->needs.contains(b.layer->name) || b.layer->needs.contains(a.layer->name);
}

/// The attributes: type, mode, uid, gid, mtime, size, digest, target, extended attributes.
constexpr std::size_t k_fields = 9;

/// Do both lines say the same of everything but the modification time?
Result<bool> equal_but_for_time(const InventoryLine& a, const InventoryLine& b) {
  if (a.attributes == b.attributes) {
    return true;
  }
  auto one = split(a.attributes, '\t');
  auto two = split(b.attributes, '\t');
  if (one.size() != k_fields || two.size() != k_fields) {
    return Error(ErrorCode::corrupt, "reading an inventory: wrong number of fields at '" + std::string(a.path) + "'");
  }
  one[4] = two[4];
  return one == two;
}

std::string difference(const InventoryLine& a, const InventoryLine& b) {
  if (a.type == EntryType::whiteout || b.type == EntryType::whiteout) {
    return "deleted by one";
  }
  if (a.type != b.type) {
    return "type";
  }
  const auto one = split(a.attributes, '\t');
  const auto two = split(b.attributes, '\t');
  return one[6] == two[6] && one[7] == two[7] ? "mode or owner" : "contents";
}

class Finder {
public:
  explicit Finder(const BaseDirectory& base) : m_base(base) {}

  Result<void> judge(const std::vector<Claim>& claims) {
    bool all_directories = true;
    for (const auto& claim : claims) {
      all_directories = all_directories && claim.line->type == EntryType::directory;
    }
    if (all_directories) {
      return judge_directories(claims);
    }
    return judge_pairs(claims);
  }

  Overlaps take() && { return std::move(m_result); }

private:
  Result<void> add_conflict(const Claim& a, const Claim& b) {
    SHEAF_TRY_ASSIGN(auto path, unescape_path(a.line->path));
    m_result.conflicts.push_back({"/" + path, a.layer->name, b.layer->name, difference(*a.line, *b.line)});
    return {};
  }

  /// Every two of the claims that no later layer was built to replace, so that what is found does not depend on the
  /// order of layers.
  Result<void> judge_pairs(const std::vector<Claim>& all) {
    const auto before = m_result.conflicts.size();
    std::vector<Claim> claims;
    std::ranges::copy_if(all, std::back_inserter(claims), [&](const Claim& claim) {
      return std::ranges::none_of(all,
                                  [&](const Claim& other) { return other.layer->needs.contains(claim.layer->name); });
    });
    for (std::size_t i = 0; i < claims.size(); ++i) {
      for (std::size_t j = i + 1; j < claims.size(); ++j) {
        SHEAF_TRY_ASSIGN(const bool same, equal_but_for_time(*claims[i].line, *claims[j].line));
        if (!same && !sequential(claims[i], claims[j])) {
          SHEAF_TRY(add_conflict(claims[i], claims[j]));
        }
      }
    }
    m_result.harmless += m_result.conflicts.size() == before ? 1U : 0U;
    return {};
  }

  /// Three-way: a layer that only has the directory as the base has it says nothing about it, unless it is built on
  /// one that changed it.
  Result<void> judge_directories(const std::vector<Claim>& claims) {
    SHEAF_TRY_ASSIGN(const auto path, unescape_path(claims.front().line->path));
    const auto base = m_base(path);
    std::vector<Claim> speakers;
    for (const auto& claim : claims) {
      SHEAF_TRY_ASSIGN(const auto entry, decode(*claim.line));
      const bool as_base = base &&
                           std::tie(base->mode, base->uid, base->gid) == std::tie(entry.mode, entry.uid, entry.gid) &&
                           base->attributes == entry.attributes;
      const bool answers = std::ranges::any_of(
          speakers, [&](const Claim& other) { return claim.layer->needs.contains(other.layer->name); });
      if (!as_base || answers) {
        speakers.push_back(claim);
      }
    }
    const auto before = m_result.conflicts.size();
    SHEAF_TRY(judge_pairs(speakers));
    if (speakers.empty() || m_result.conflicts.size() != before) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const bool shown, equal_but_for_time(*speakers.back().line, *claims.back().line));
    if (!shown) {
      SHEAF_TRY_ASSIGN(auto wanted, decode(*speakers.back().line));
      m_result.fixes.push_back({std::move(wanted)});
    }
    return {};
  }

  const BaseDirectory& m_base;
  Overlaps m_result;
};

} // namespace

Result<Overlaps> find_overlaps(const std::vector<LayerPaths>& layers, const BaseDirectory& base) {
  // A merge of sorted lists: the heap holds the next line of each layer, smallest path first, then canonical order.
  using Next = std::tuple<std::string_view, std::size_t, std::size_t>;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> heap;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].lines.empty()) {
      heap.emplace(layers[i].lines.front().path, i, 0);
    }
  }
  Finder finder(base);
  std::vector<Claim> claims;
  while (!heap.empty()) {
    const auto [path, index, line] = heap.top();
    heap.pop();
    if (!claims.empty() && claims.front().line->path != path) {
      if (claims.size() > 1) {
        SHEAF_TRY(finder.judge(claims));
      }
      claims.clear();
    }
    claims.push_back({&layers[index], &layers[index].lines[line]});
    if (line + 1 < layers[index].lines.size()) {
      heap.emplace(layers[index].lines[line + 1].path, index, line + 1);
    }
  }
  if (claims.size() > 1) {
    SHEAF_TRY(finder.judge(claims));
  }
  return std::move(finder).take();
}

} // namespace sheaf::layer
