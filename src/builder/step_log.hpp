// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the steps of one build gave, and how many had to be carried out.

#include "builder/step_cache.hpp"

#include <cstddef>
#include <mutex>
#include <set>
#include <vector>

namespace sheaf::builder {

/// Safe from several threads.
class StepLog {
public:
  void carried_out(UsedStep step);
  void reused(UsedStep step);
  /// For a build that goes through its steps once more: those that were carried out are not counted again.
  void begin_again();

  std::size_t count_run() const;
  std::size_t count_reused() const;
  /// Every key once, in the order in which they ended.
  std::vector<UsedStep> steps() const;

private:
  void add(UsedStep step);
  mutable std::mutex m_mutex; ///< guards what follows
  std::set<Digest> m_known;
  std::vector<UsedStep> m_steps;
  std::set<Digest> m_run_keys;
  std::size_t m_run = 0;
  std::size_t m_reused = 0;
};

} // namespace sheaf::builder
