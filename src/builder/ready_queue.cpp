// SPDX-License-Identifier: Apache-2.0
#include "builder/ready_queue.hpp"

#include <algorithm>
#include <thread>

namespace sheaf::builder {

std::optional<std::size_t> ReadyQueue::take() {
  std::unique_lock lock(m_mutex);
  for (;;) {
    bool waiting = false;
    for (std::size_t i = 0; i < m_states.size(); ++i) {
      if (m_states[i] != State::waiting) {
        continue;
      }
      const auto needs = state_of_needs(i);
      if (needs == State::done) {
        m_states[i] = State::running;
        return i;
      }
      if (needs == State::failed) {
        m_states[i] = State::failed; // so that what needs this one knows, too
      } else {
        waiting = true;
      }
    }
    if (!waiting) {
      return std::nullopt;
    }
    m_changed.wait(lock);
  }
}

void ReadyQueue::finish(std::size_t piece, Ended ended) {
  {
    const std::scoped_lock lock(m_mutex);
    m_states[piece] = ended == Ended::well ? State::done : State::failed;
  }
  m_changed.notify_all();
}

void ReadyQueue::run(unsigned threads, const std::function<Ended(std::size_t)>& work) {
  const auto take_all = [&] {
    while (const auto piece = take()) {
      finish(*piece, work(*piece));
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, m_states.size()); ++i) {
    others.emplace_back(take_all);
  }
  take_all();
}

ReadyQueue::State ReadyQueue::state_of_needs(std::size_t piece) const {
  auto state = State::done;
  for (const auto need : m_needs[piece]) {
    if (m_states[need] == State::failed) {
      return State::failed;
    }
    state = m_states[need] == State::done ? state : State::waiting;
  }
  return state;
}

} // namespace sheaf::builder
