// SPDX-License-Identifier: Apache-2.0
#include "builder/step_log.hpp"

#include <utility>

namespace sheaf::builder {

void StepLog::add(UsedStep step) {
  if (m_known.insert(step.key).second) {
    m_steps.push_back(std::move(step));
  }
}

void StepLog::carried_out(UsedStep step) {
  const std::scoped_lock lock(m_mutex);
  ++m_run;
  m_run_keys.insert(step.key);
  add(std::move(step));
}

void StepLog::reused(UsedStep step) {
  const std::scoped_lock lock(m_mutex);
  m_reused += m_run_keys.contains(step.key) ? 0U : 1U;
  add(std::move(step));
}

void StepLog::begin_again() {
  const std::scoped_lock lock(m_mutex);
  m_known.clear();
  m_steps.clear();
  m_reused = 0;
}

std::size_t StepLog::count_run() const {
  const std::scoped_lock lock(m_mutex);
  return m_run;
}

std::size_t StepLog::count_reused() const {
  const std::scoped_lock lock(m_mutex);
  return m_reused;
}

std::vector<UsedStep> StepLog::steps() const {
  const std::scoped_lock lock(m_mutex);
  return m_steps;
}

} // namespace sheaf::builder
