// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hands bytes from one thread to another, a bounded number of pieces at a time.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace sheaf::image {

/// One giver, one taker. Both may give up; neither then waits for the other.
class ChunkQueue {
public:
  /// Shared, since several queues may carry the same bytes.
  using Chunk = std::shared_ptr<const std::string>;

  /// Waits while the queue is full. False if the taker gave up.
  bool push(Chunk chunk) {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_chunks.size() < k_most || m_abandoned; });
    if (!m_abandoned) {
      m_chunks.push_back(std::move(chunk));
      m_changed.notify_all();
    }
    return !m_abandoned;
  }

  enum class End { whole, broken_off };
  /// Nothing follows. Broken off: the taker need not look at what is left.
  void close(End end) {
    const std::scoped_lock lock(m_mutex);
    m_is_closed = true;
    m_is_broken = end == End::broken_off;
    m_changed.notify_all();
  }

  /// Waits for the next; null at the end.
  Chunk pop() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return !m_chunks.empty() || m_is_closed; });
    if (m_chunks.empty() || m_is_broken) {
      return nullptr;
    }
    auto chunk = std::move(m_chunks.front());
    m_chunks.pop_front();
    m_changed.notify_all();
    return chunk;
  }
  /// Whether the giver broke off; known once `pop` gave null.
  bool is_broken() {
    const std::scoped_lock lock(m_mutex);
    return m_is_broken;
  }
  /// The taker wants no more.
  void abandon() {
    const std::scoped_lock lock(m_mutex);
    m_abandoned = true;
    m_chunks.clear();
    m_changed.notify_all();
  }

private:
  static constexpr std::size_t k_most = 16;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<Chunk> m_chunks;
  bool m_is_closed = false;
  bool m_is_broken = false;
  bool m_abandoned = false;
};

} // namespace sheaf::image
