// SPDX-License-Identifier: Apache-2.0
#include "builder/builder.hpp"

#include "base/assert.hpp"
#include "builder/layer_builder.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace sheaf::builder {
namespace {

/// The state of all layers of one build, shared by the workers.
class Schedule {
public:
  explicit Schedule(const std::vector<plan::LayerPlan>& plans) : m_plans(plans), m_slots(plans.size()) {
    for (std::size_t i = 0; i < plans.size(); ++i) {
      m_place[plans[i].name] = i;
    }
  }

  /// A layer whose needs are all there; waits for one. Nothing when no more will come.
  std::optional<std::size_t> take() {
    std::unique_lock lock(m_mutex);
    for (;;) {
      bool waiting = false;
      for (std::size_t i = 0; i < m_slots.size(); ++i) {
        if (m_slots[i].state != State::waiting) {
          continue;
        }
        const auto needs = state_of_needs(i);
        if (needs == State::done) {
          m_slots[i].state = State::running;
          return i;
        }
        waiting = waiting || needs != State::failed;
      }
      if (!waiting) {
        return std::nullopt;
      }
      m_changed.wait(lock);
    }
  }

  std::vector<store::StoredLayer> closure(std::size_t index) {
    const std::scoped_lock lock(m_mutex);
    std::vector<store::StoredLayer> layers;
    for (const auto& name : m_plans[index].closure) {
      layers.push_back(**m_slots[m_place.at(name)].result);
    }
    return layers;
  }

  void finish(std::size_t index, Result<store::StoredLayer> result) {
    {
      const std::scoped_lock lock(m_mutex);
      m_slots[index].state = result ? State::done : State::failed;
      m_slots[index].result.emplace(std::move(result));
    }
    m_changed.notify_all();
  }

  /// After all workers have ended.
  Result<std::vector<store::StoredLayer>> results() && {
    std::vector<store::StoredLayer> layers;
    for (auto& slot : m_slots) {
      if (slot.result && !*slot.result) {
        return std::move(*slot.result).error();
      }
    }
    for (auto& slot : m_slots) {
      SHEAF_ASSERT(slot.result.has_value());
      layers.push_back(std::move(**slot.result));
    }
    return layers;
  }

private:
  enum class State { waiting, running, done, failed };
  struct Slot {
    State state = State::waiting;
    std::optional<Result<store::StoredLayer>> result;
  };

  /// done: all there; failed: one will never come; waiting: not yet.
  State state_of_needs(std::size_t index) {
    auto state = State::done;
    for (const auto& name : m_plans[index].closure) {
      auto& need = m_slots[m_place.at(name)];
      if (need.state == State::failed ||
          (need.state == State::waiting && state_of_needs(m_place.at(name)) == State::failed)) {
        return State::failed;
      }
      state = need.state == State::done ? state : State::waiting;
    }
    return state;
  }

  const std::vector<plan::LayerPlan>& m_plans;
  std::map<std::string, std::size_t> m_place;
  std::mutex m_mutex; ///< guards m_slots
  std::condition_variable m_changed;
  std::vector<Slot> m_slots;
};

} // namespace

Result<BuildOutcome> build_layers(const std::vector<plan::LayerPlan>& plans, store::Store& store,
                                  sandbox::Runtime& runtime, EventSink& events, const BuildOptions& options,
                                  std::stop_token stop) {
  LayerBuilder builder(store, runtime, events);
  Schedule schedule(plans);
  const auto work = [&] {
    while (const auto index = schedule.take()) {
      const auto closure = schedule.closure(*index);
      if (stop.stop_requested()) {
        schedule.finish(*index, Error(ErrorCode::cancelled, "stopped"));
        continue;
      }
      schedule.finish(*index, builder.build(plans[*index], closure, stop));
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < std::min<std::size_t>(std::max(1U, options.jobs), plans.size()); ++i) {
      workers.emplace_back(work);
    }
  }
  auto layers = std::move(schedule).results();
  auto conflicts = builder.take_conflicts();
  if (!layers && layers.error().code() == ErrorCode::conflict && !conflicts.empty()) {
    return BuildOutcome{{}, std::move(conflicts)};
  }
  if (!layers) {
    return std::move(layers).error();
  }
  return BuildOutcome{std::move(*layers), {}};
}

} // namespace sheaf::builder
