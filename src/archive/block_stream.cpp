// SPDX-License-Identifier: Apache-2.0
#include "archive/block_stream.hpp"

#include <algorithm>
#include <utility>

namespace sheaf::archive {
namespace {

constexpr unsigned k_most_threads = 32;

} // namespace

BlockStream::BlockStream(BlockShape shape, unsigned threads, PackBlock pack, Output to)
    : m_shape(shape), m_most(std::clamp(threads, 1U, k_most_threads)), m_pack(std::move(pack)), m_to(std::move(to)) {}

Result<void> BlockStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    // A full block waits until more comes, since it may be the last.
    if (m_input.size() == m_shape.size) {
      SHEAF_TRY(start(false));
    }
    if (m_input.empty()) {
      m_input.reserve(m_shape.size);
    }
    const auto part = bytes.substr(0, m_shape.size - m_input.size());
    m_input += part;
    bytes.remove_prefix(part.size());
  }
  return {};
}

Result<void> BlockStream::finish() {
  SHEAF_TRY(start(true));
  while (!m_running.empty()) {
    SHEAF_TRY(take());
  }
  return {};
}

Result<void> BlockStream::start(bool is_last) {
  while (m_running.size() >= m_most) {
    SHEAF_TRY(take());
  }
  Block block{std::exchange(m_input, {}), {}, is_last};
  block.before =
      std::exchange(m_before, block.input.substr(block.input.size() - std::min(block.input.size(), m_shape.before)));
  // Where there is no thread to be had it runs when it is taken.
  m_running.push_back(std::async(std::launch::async | std::launch::deferred,
                                 [this, packed = std::move(block)] { return m_pack(packed); }));
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
