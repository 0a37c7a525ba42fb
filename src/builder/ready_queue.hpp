// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hands out pieces of work to several threads, each as soon as all that it needs is done.

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace sheaf::builder {

/// Safe from several threads; what one did before `finish` is seen by who takes a piece that needed it.
class ReadyQueue {
public:
  /// `needs[i]`: the pieces that must be done before piece i; without a cycle.
  explicit ReadyQueue(std::vector<std::vector<std::size_t>> needs)
      : m_needs(std::move(needs)), m_states(m_needs.size(), State::waiting) {}

  /// The first piece whose needs are done; waits for one. Nothing when no more will come.
  std::optional<std::size_t> take();
  /// What needs a failed piece is never handed out.
  enum class Ended { well, badly };
  void finish(std::size_t piece, Ended ended);

  /// Lets `work` do all pieces with up to `threads` threads, this one included.
  void run(unsigned threads, const std::function<Ended(std::size_t)>& work);

private:
  enum class State { waiting, running, done, failed };
  State state_of_needs(std::size_t piece) const;

  std::vector<std::vector<std::size_t>> m_needs;
  std::mutex m_mutex; ///< guards m_states
  std::condition_variable m_changed;
  std::vector<State> m_states;
};

} // namespace sheaf::builder
