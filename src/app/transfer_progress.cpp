// SPDX-License-Identifier: Apache-2.0
#include "app/transfer_progress.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace sheaf::app {

void TransferProgress::see(const image::Progress& now) {
  const auto blob = now.blob.hex().substr(0, 12);
  bool is_new = false;
  {
    const std::scoped_lock lock(m_mutex);
    is_new = !m_done.contains(now.blob);
    m_done[now.blob] = now.reused ? 0 : now.done;
  }
  if (is_new && now.reused) {
    m_events.emit({EventKind::note, m_subject, fmt::format("{} is there already", blob)});
  } else if (is_new) {
    m_events.emit({EventKind::note, m_subject, fmt::format("{} {}", blob, human_bytes(now.total))});
  }
}

std::uint64_t TransferProgress::bytes() const {
  const std::scoped_lock lock(m_mutex);
  std::uint64_t sum = 0;
  for (const auto& [blob, done] : m_done) {
    sum += done;
  }
  return sum;
}

} // namespace sheaf::app
