// SPDX-License-Identifier: Apache-2.0
#include "store/gc_plan.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string_view>
#include <unordered_map>

namespace sheaf::store {
namespace {

class Planner {
public:
  Planner(const std::vector<Part>& parts, const GcPolicy& policy, const GcQuestions& ask)
      : m_parts(parts), m_policy(policy), m_ask(ask) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      m_index.emplace(parts[i].part, i);
    }
    m_followers.resize(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      m_needs.push_back(find_needs(i));
      for (const auto need : m_needs.back()) {
        if (!keeps_what_it_needs(parts[i].kind)) {
          m_followers[need].push_back(i);
        }
      }
    }
    m_gone.assign(parts.size(), false);
    m_plan.fates.assign(parts.size(), Fate::removed);
  }

  GcPlan run(std::uint64_t total) {
    spare_newest();
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
      protect(i);
    }
    remove_useless();
    for (const auto i : candidates()) {
      if (m_policy.max_size && total <= *m_policy.max_size) {
        m_plan.fates[i] = m_gone[i] ? m_plan.fates[i] : Fate::spared;
        continue;
      }
      const auto freed = remove(i);
      total -= std::min(freed, total);
    }
    return std::move(m_plan);
  }

private:
  std::vector<std::size_t> find_needs(std::size_t i) const {
    std::vector<std::size_t> needs;
    for (const auto& part : m_parts[i].needs) {
      if (const auto found = m_index.find(part); found != m_index.end()) {
        needs.push_back(found->second);
      }
    }
    return needs;
  }

  void spare_newest() {
    m_is_newest.assign(m_parts.size(), false);
    std::map<std::string_view, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
      if (m_parts[i].kind == PartKind::layer) {
        groups[m_parts[i].group].push_back(i);
      }
    }
    for (auto& [group, builds] : groups) {
      std::ranges::stable_sort(builds, std::ranges::greater(),
                               [this](std::size_t i) { return std::pair(m_parts[i].built_at, m_parts[i].last_used); });
      const auto count = std::min<std::size_t>(builds.size(), m_policy.keep_last.value_or(0));
      std::for_each_n(builds.begin(), count, [this](std::size_t i) { m_is_newest[i] = true; });
    }
  }

  /// What only `keep_last` was said about is layers; the rest then stays as it is.
  bool is_spared(std::size_t i) const {
    const auto& part = m_parts[i];
    const bool is_recent = m_policy.used_since && part.last_used >= *m_policy.used_since;
    const bool is_out_of_question = part.kind != PartKind::layer && !m_policy.used_since && !m_policy.max_size;
    return m_is_newest[i] || is_recent || is_out_of_question;
  }

  void protect(std::size_t i) {
    const auto& part = m_parts[i];
    if (part.is_root) {
      keep(i, Fate::needed);
    } else if (m_ask.is_in_use(part.part)) {
      keep(i, Fate::in_use);
    } else if (m_plan.fates[i] == Fate::removed && is_spared(i)) {
      keep(i, Fate::spared);
    }
  }

  /// What is needed has to be of use: so has all that it needs itself.
  void keep(std::size_t i, Fate fate) {
    m_plan.fates[i] = fate;
    if (fate != Fate::needed && !keeps_what_it_needs(m_parts[i].kind)) {
      return;
    }
    for (const auto need : m_needs[i]) {
      if (!is_fixed(need)) {
        keep(need, Fate::needed);
      }
    }
  }

  /// Joins and records of what is not there at all.
  void remove_useless() {
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
      const auto& part = m_parts[i];
      const bool lacks_something =
          std::ranges::any_of(part.needs, [this](const auto& need) { return !m_index.contains(need); });
      if (!keeps_what_it_needs(part.kind) && lacks_something && !is_fixed(i)) {
        remove(i);
      }
    }
  }

  bool is_fixed(std::size_t i) const { return m_plan.fates[i] == Fate::needed || m_plan.fates[i] == Fate::in_use; }

  /// What may go: what was used least lately first, and nothing before what needs it.
  std::vector<std::size_t> candidates() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
      if (m_plan.fates[i] == Fate::removed && !m_gone[i]) {
        order.push_back(i);
      }
    }
    const auto depths = measure_depths();
    std::ranges::stable_sort(order, std::ranges::greater(), [&depths](std::size_t i) { return depths[i]; });
    std::vector<std::int64_t> last_used;
    std::ranges::transform(m_parts, std::back_inserter(last_used), &Part::last_used);
    for (const auto i : order) {
      for (const auto need : m_needs[i]) { // used when its needer was
        last_used[need] = std::max(last_used[need], last_used[i]);
      }
    }
    std::ranges::stable_sort(order, {}, [&last_used](std::size_t i) { return last_used[i]; });
    return order;
  }

  /// Of each part: how long the longest chain of needs below it is. A damaged record may need itself: then it ends
  /// there.
  std::vector<int> measure_depths() const {
    constexpr int k_unknown = -1;
    std::vector<int> depths(m_parts.size(), k_unknown);
    const std::function<int(std::size_t)> depth_of = [&](std::size_t i) {
      if (depths[i] == k_unknown) {
        depths[i] = 0;
        int below = 0;
        for (const auto need : m_needs[i]) {
          below = std::max(below, 1 + depth_of(need));
        }
        depths[i] = below;
      }
      return depths[i];
    };
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
      depth_of(i);
    }
    return depths;
  }

  /// With what is of no use without it. Returns how many bytes that frees.
  std::uint64_t remove(std::size_t i) {
    if (m_gone[i]) {
      return 0;
    }
    m_gone[i] = true;
    std::uint64_t freed = 0;
    for (const auto follower : m_followers[i]) {
      if (!is_fixed(follower)) {
        freed += remove(follower);
      }
    }
    m_plan.fates[i] = Fate::removed;
    m_plan.removed.push_back(i);
    return freed + (m_policy.max_size ? m_ask.freed_by(m_parts[i].part) : 0);
  }

  const std::vector<Part>& m_parts;
  const GcPolicy& m_policy;
  const GcQuestions& m_ask;
  std::unordered_map<std::string_view, std::size_t> m_index;
  std::vector<std::vector<std::size_t>> m_needs;     ///< of each part, as far as they are there
  std::vector<std::vector<std::size_t>> m_followers; ///< of each part: what goes with it
  std::vector<bool> m_is_newest;
  std::vector<bool> m_gone;
  GcPlan m_plan;
};

} // namespace

bool keeps_what_it_needs(PartKind kind) { return kind == PartKind::image || kind == PartKind::layer; }

std::string_view to_string(PartKind kind) {
  switch (kind) {
  case PartKind::image:
    return "image";
  case PartKind::layer:
    return "layer";
  case PartKind::join:
    return "join layer";
  case PartKind::generated:
    return "generated files";
  case PartKind::step:
    return "step";
  case PartKind::unpacked:
    return "unpacked layer";
  case PartKind::blob:
    return "blob";
  case PartKind::cached:
    return "cached file";
  case PartKind::record:
    break;
  }
  return "record";
}

GcPlan plan_gc(const std::vector<Part>& parts, const GcPolicy& policy, std::uint64_t total, const GcQuestions& ask) {
  return Planner(parts, policy, ask).run(total);
}

} // namespace sheaf::store
