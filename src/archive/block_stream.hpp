// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cuts a stream into blocks of fixed size and packs several at a time, each by one thread. What a block becomes depends
// on its content alone, never on timing: so the bytes are always the same.

#include "archive/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <optional>

namespace sheaf::archive {

/// Called by several threads at the same time. Nothing if it failed.
using PackBlock = std::function<std::optional<std::string>(std::string_view block)>;

class BlockStream final : public Stream {
public:
  /// `size` of a block in bytes.
  BlockStream(std::size_t size, unsigned threads, PackBlock pack, Output to);
  Result<void> write(std::string_view bytes) override;
  /// A stream of nothing is one empty block.
  Result<void> finish() override;

private:
  Result<void> start();
  Result<void> take();

  std::size_t m_size;
  std::size_t m_most;
  PackBlock m_pack;
  Output m_to;
  std::string m_input;
  bool m_has_started = false;
  // Last: its threads use the above.
  std::deque<std::future<std::optional<std::string>>> m_running;
};

} // namespace sheaf::archive
