// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cuts a stream into blocks of fixed size and packs several at a time, each by one thread. What a block becomes may
// depend on its content and on the end of the block before, never on timing: so the bytes are always the same.

#include "archive/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <optional>

namespace sheaf::archive {

struct Block {
  std::string input;
  /// The end of the block before, as far as the format looks back.
  std::string before;
  bool is_last = false;
};
/// Called by several threads at the same time. Nothing if it failed.
using PackBlock = std::function<std::optional<std::string>(const Block&)>;

struct BlockShape {
  std::size_t size = 0;
  /// How many bytes of the block before are wanted.
  std::size_t before = 0;
};

class BlockStream {
public:
  BlockStream(BlockShape shape, unsigned threads, PackBlock pack, Output to);
  Result<void> write(std::string_view bytes);
  /// There is always a last block, which may be empty.
  Result<void> finish();

private:
  Result<void> start(bool is_last);
  Result<void> take();

  BlockShape m_shape;
  std::size_t m_most;
  PackBlock m_pack;
  Output m_to;
  std::string m_input;
  std::string m_before;
  // Last: its threads use the above.
  std::deque<std::future<std::optional<std::string>>> m_running;
};

} // namespace sheaf::archive
