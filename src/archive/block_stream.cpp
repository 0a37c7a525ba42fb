// SPDX-License-Identifier: Apache-2.0
#include "archive/block_stream.hpp"

#include <algorithm>
#include <utility>

namespace sheaf::archive {
namespace {

constexpr unsigned k_most_threads = 32;

} // namespace

BlockStream::BlockStream(std::size_t size, unsigned threads, PackBlock pack, Output to)
    : m_size(size), m_most(std::clamp(threads, 1U, k_most_threads)), m_pack(std::move(pack)), m_to(std::move(to)) {}

Result<void> BlockStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (m_input.empty()) {
      m_input.reserve(m_size);
    }
    const auto part = bytes.substr(0, m_size - m_input.size());
    m_input += part;
    bytes.remove_prefix(part.size());
    if (m_input.size() == m_size) {
      SHEAF_TRY(start());
    }
  }
  return {};
}

Result<void> BlockStream::finish() {
  if (!m_input.empty() || !m_has_started) {
    SHEAF_TRY(start());
  }
  while (!m_running.empty()) {
    SHEAF_TRY(take());
  }
  return {};
}

Result<void> BlockStream::start() {
  m_has_started = true;
  while (m_running.size() >= m_most) {
    SHEAF_TRY(take());
  }
  // Where there is no thread to be had it runs when it is taken.
  m_running.push_back(
      std::async(std::launch::async | std::launch::deferred, [this, block = std::exchange(m_input, {})]() mutable {
        auto packed = m_pack(block);
        std::string().swap(block); // it may be long until what it became is taken
        return packed;
      }));
  return {};
}

/// Writes the oldest block when it is ready.
Result<void> BlockStream::take() {
  const auto packed = m_running.front().get();
  m_running.pop_front();
  if (!packed) {
    return Error(ErrorCode::internal, "compressing a block failed: there may be no memory for it");
  }
  return m_to(*packed);
}

} // namespace sheaf::archive
