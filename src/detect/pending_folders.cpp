// SPDX-License-Identifier: Apache-2.0
#include "detect/pending_folders.hpp"

#include <iterator>
#include <utility>

namespace sheaf::detect {

void PendingFolders::found(std::vector<PendingFolder> folders) {
  bool is_over = false;
  const auto count = folders.size();
  {
    const std::scoped_lock lock(m_mutex);
    m_folders.insert(m_folders.end(), std::make_move_iterator(folders.begin()), std::make_move_iterator(folders.end()));
    m_taken -= m_taken > 0 ? 1 : 0;
    is_over = m_folders.empty() && m_taken == 0;
  }
  if (is_over || count > 1) {
    m_changed.notify_all();
  }
}

std::optional<PendingFolder> PendingFolders::take() {
  std::unique_lock lock(m_mutex);
  m_changed.wait(lock, [this] { return !m_folders.empty() || m_taken == 0; });
  if (m_folders.empty()) {
    return std::nullopt;
  }
  auto folder = std::move(m_folders.back());
  m_folders.pop_back();
  ++m_taken;
  return folder;
}

std::size_t PendingFolders::size() const {
  const std::scoped_lock lock(m_mutex);
  return m_folders.size();
}

} // namespace sheaf::detect
