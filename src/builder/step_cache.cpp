// SPDX-License-Identifier: Apache-2.0
#include "builder/step_cache.hpp"

#include <algorithm>

namespace sheaf::builder {

std::optional<store::StepRecord> BorrowedSteps::find(const Digest& key) {
  auto found = m_cache.find ? m_cache.find(key) : std::nullopt;
  if (!found) {
    return std::nullopt;
  }
  const auto is_here = m_store.adopt_step(key, *found);
  const std::scoped_lock lock(m_mutex);
  if (m_steps.emplace(key, UsedStep{key, *found}).second && !(is_here && *is_here) && found->files > 0) {
    m_missing.push_back({key, *found});
  }
  return found;
}

std::optional<Digest> BorrowedSteps::selected(const Digest& selection) const {
  return m_cache.selected ? m_cache.selected(selection) : std::nullopt;
}

Result<void> BorrowedSteps::need(const std::vector<store::TreeRef>& trees) {
  const std::scoped_lock lock(m_mutex);
  const auto is_meant = [&trees](const UsedStep& step) {
    return std::ranges::find(trees, step.record.folder(), &store::TreeRef::folder) != trees.end();
  };
  std::vector<UsedStep> wanted;
  std::ranges::copy_if(m_missing, std::back_inserter(wanted), is_meant);
  if (wanted.empty()) {
    return {};
  }
  if (auto brought = m_cache.bring(wanted); !brought) {
    m_broken = brought.error().code() != ErrorCode::cancelled;
    return brought;
  }
  std::erase_if(m_missing, is_meant);
  return {};
}

bool BorrowedSteps::is_broken() const {
  const std::scoped_lock lock(m_mutex);
  return m_broken;
}

void BorrowedSteps::begin_again() {
  const std::scoped_lock lock(m_mutex);
  m_steps.clear();
  m_missing.clear();
  m_broken = false;
}

std::size_t BorrowedSteps::count() const {
  const std::scoped_lock lock(m_mutex);
  return m_steps.size();
}

} // namespace sheaf::builder
