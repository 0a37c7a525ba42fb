// SPDX-License-Identifier: Apache-2.0
#include "layer/overlap.hpp"

#include "base/text.hpp"

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

/// Field `number` of the attributes: type, mode, uid, gid, mtime, size, digest, target, extended attributes.
std::string_view field(const InventoryLine& line, std::size_t number) {
  return split(line.attributes, '\t').at(number);
}

bool equal_but_for_time(const InventoryLine& a, const InventoryLine& b) {
  if (a.attributes == b.attributes) {
    return true;
  }
  for (const std::size_t number : {0U, 1U, 2U, 3U, 5U, 6U, 7U, 8U}) {
    if (field(a, number) != field(b, number)) {
      return false;
    }
  }
  return true;
}

std::string difference(const InventoryLine& a, const InventoryLine& b) {
  if (a.type == EntryType::whiteout || b.type == EntryType::whiteout) {
    return "deleted by one";
  }
  if (a.type != b.type) {
    return "type";
  }
  const bool same_content = field(a, 6) == field(b, 6) && field(a, 7) == field(b, 7);
  return same_content ? "mode or owner" : "contents";
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
    for (std::size_t i = 0; i < claims.size(); ++i) {
      for (std::size_t j = i + 1; j < claims.size(); ++j) {
        if (!sequential(claims[i], claims[j]) && !equal_but_for_time(*claims[i].line, *claims[j].line)) {
          return add_conflict(claims[i], claims[j]);
        }
      }
    }
    ++m_result.harmless;
    return {};
  }

  Overlaps take() && { return std::move(m_result); }

private:
  Result<void> add_conflict(const Claim& a, const Claim& b) {
    SHEAF_TRY_ASSIGN(auto path, unescape_path(a.line->path));
    m_result.conflicts.push_back({"/" + path, a.layer->name, b.layer->name, difference(*a.line, *b.line)});
    return {};
  }

  /// Three-way: a layer that only has the directory as the base has it says nothing about it.
  Result<void> judge_directories(const std::vector<Claim>& claims) {
    SHEAF_TRY_ASSIGN(const auto path, unescape_path(claims.front().line->path));
    const auto base = m_base(path);
    const Claim* speaker = nullptr;
    for (const auto& claim : claims) {
      SHEAF_TRY_ASSIGN(const auto entry, decode(*claim.line));
      const bool silent = base &&
                          std::tie(base->mode, base->uid, base->gid) == std::tie(entry.mode, entry.uid, entry.gid) &&
                          base->attributes == entry.attributes;
      if (silent) {
        continue;
      }
      if (speaker != nullptr && !sequential(*speaker, claim) && !equal_but_for_time(*speaker->line, *claim.line)) {
        return add_conflict(*speaker, claim);
      }
      speaker = &claim;
    }
    ++m_result.harmless;
    if (speaker == nullptr || equal_but_for_time(*speaker->line, *claims.back().line)) {
      return {};
    }
    SHEAF_TRY_ASSIGN(auto wanted, decode(*speaker->line));
    m_result.fixes.push_back({std::move(wanted)});
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
