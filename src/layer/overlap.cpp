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

/// Only the later layer is seen, so only it can replace the earlier one.
bool replaced(const Claim& earlier, const Claim& later) { return later.layer->replaces.contains(earlier.layer->name); }

/// Is `later` what is left of `earlier`? A directory that was made anew says nothing of what was below the one that the
/// earlier layer took away.
bool supersedes(const Claim& later, const Claim& earlier) {
  const bool made_anew = later.line->type == EntryType::directory && earlier.line->type != EntryType::directory;
  return later.layer->needs.contains(earlier.layer->name) && !made_anew;
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
  Finder(const OverlapQuestions& questions, Detail detail) : m_questions(questions), m_detail(detail) {}

  Result<void> judge(const std::vector<Claim>& claims) {
    const bool all_directories =
        std::ranges::all_of(claims, [](const Claim& claim) { return claim.line->type == EntryType::directory; });
    SHEAF_TRY_ASSIGN(const auto path, unescape_path(claims.front().line->path));
    auto kind = OverlapClass::merged;
    if (all_directories) {
      SHEAF_TRY_ASSIGN(kind, judge_directories(path, claims));
    } else if (!m_questions.is_merged || !m_questions.is_merged(path)) {
      SHEAF_TRY_ASSIGN(kind, judge_pairs(path, claims));
    }
    m_result.harmless += kind == OverlapClass::conflict ? 0U : 1U;
    if (m_detail == Detail::every_overlap) {
      Overlap overlap{"/" + path, kind, {}};
      std::ranges::transform(claims, std::back_inserter(overlap.layers),
                             [](const Claim& claim) { return claim.layer->name; });
      m_result.all.push_back(std::move(overlap));
    }
    return {};
  }

  Overlaps take() && { return std::move(m_result); }

private:
  /// Every two of the claims that no later layer was built to supersede, so that what is found does not depend on the
  /// order of layers. The class is that of the pair that needs the most explanation.
  Result<OverlapClass> judge_pairs(const std::string& path, const std::vector<Claim>& all) {
    std::vector<Claim> claims;
    std::ranges::copy_if(all, std::back_inserter(claims), [&](const Claim& claim) {
      return std::ranges::none_of(all, [&](const Claim& other) { return supersedes(other, claim); });
    });
    auto kind = claims.size() < all.size() ? OverlapClass::sequential : OverlapClass::identical;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      for (std::size_t j = i + 1; j < claims.size(); ++j) {
        SHEAF_TRY_ASSIGN(const bool same, equal_but_for_time(*claims[i].line, *claims[j].line));
        if (same || sequential(claims[i], claims[j])) {
          continue;
        }
        if (replaced(claims[i], claims[j])) {
          kind = std::max(kind, OverlapClass::replaced);
          continue;
        }
        kind = OverlapClass::conflict;
        m_result.conflicts.push_back(
            {"/" + path, claims[i].layer->name, claims[j].layer->name, difference(*claims[i].line, *claims[j].line)});
      }
    }
    return kind;
  }

  /// Three-way: a layer that only has the directory as the base has it says nothing about it, unless it is built on
  /// one that changed it.
  Result<OverlapClass> judge_directories(const std::string& path, const std::vector<Claim>& claims) {
    const auto base = m_questions.base_directory ? m_questions.base_directory(path) : std::nullopt;
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
    SHEAF_TRY_ASSIGN(const auto kind, judge_pairs(path, speakers));
    if (speakers.empty() || kind == OverlapClass::conflict) {
      return kind == OverlapClass::conflict ? kind : OverlapClass::directory;
    }
    SHEAF_TRY_ASSIGN(const bool shown, equal_but_for_time(*speakers.back().line, *claims.back().line));
    if (!shown) {
      SHEAF_TRY_ASSIGN(auto wanted, decode(*speakers.back().line));
      m_result.fixes.push_back({std::move(wanted)});
    }
    return OverlapClass::directory;
  }

  const OverlapQuestions& m_questions;
  Detail m_detail;
  Overlaps m_result;
};

} // namespace

std::string_view to_string(OverlapClass kind) {
  switch (kind) {
  case OverlapClass::identical:
    return "identical";
  case OverlapClass::directory:
    return "directory metadata";
  case OverlapClass::sequential:
    return "built on top";
  case OverlapClass::replaced:
    return "declared replacement";
  case OverlapClass::merged:
    return "merged state";
  default:
    return "conflict";
  }
}

Result<Overlaps> find_overlaps(const std::vector<LayerPaths>& layers, const OverlapQuestions& questions,
                               Detail detail) {
  // A merge of sorted lists: the heap holds the next line of each layer, smallest path first, then canonical order.
  using Next = std::tuple<std::string_view, std::size_t, std::size_t>;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> heap;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].lines.empty()) {
      heap.emplace(layers[i].lines.front().path, i, 0);
    }
  }
  Finder finder(questions, detail);
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
