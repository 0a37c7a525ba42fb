// SPDX-License-Identifier: Apache-2.0
#include "builder/builder.hpp"

#include "base/assert.hpp"
#include "builder/layer_builder.hpp"
#include "builder/ready_queue.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>

namespace sheaf::builder {
namespace {

/// For each plan the places of the layers it needs, in the order of its closure.
std::vector<std::vector<std::size_t>> needs_of(const std::vector<plan::LayerPlan>& plans) {
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    place[plans[i].name] = i;
  }
  std::vector<std::vector<std::size_t>> needs(plans.size());
  for (std::size_t i = 0; i < plans.size(); ++i) {
    for (const auto& name : plans[i].closure) {
      needs[i].push_back(place.at(name));
    }
  }
  return needs;
}

using Built = std::vector<std::optional<Result<store::StoredLayer>>>;

/// After all workers have ended: the layers, or the error of the first in order.
Result<std::vector<store::StoredLayer>> results_of(Built built) {
  for (auto& one : built) {
    if (one && !*one) {
      return std::move(*one).error();
    }
  }
  std::vector<store::StoredLayer> layers;
  for (auto& one : built) {
    SHEAF_ASSERT(one.has_value());
    layers.push_back(std::move(**one));
  }
  return layers;
}

} // namespace

Result<BuildOutcome> build_layers(const std::vector<plan::LayerPlan>& plans, store::Store& store,
                                  sandbox::Runtime& runtime, EventSink& events, const BuildOptions& options,
                                  std::stop_token stop) {
  LayerBuilder builder(store, runtime, events, options.downloads, options.cache);
  const auto needs = needs_of(plans);
  Built built(plans.size()); // a worker writes its own place; others read it when the queue says that it is done
  ReadyQueue(needs).run(std::max(1U, options.jobs), [&](std::size_t i) {
    std::vector<store::StoredLayer> closure;
    for (const auto need : needs[i]) {
      closure.push_back(**built[need]);
    }
    built[i].emplace(stop.stop_requested() ? Error(ErrorCode::cancelled, "stopped")
                                           : builder.build(plans[i], closure, stop));
    return *built[i] ? ReadyQueue::Ended::well : ReadyQueue::Ended::badly;
  });
  auto layers = results_of(std::move(built));
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
