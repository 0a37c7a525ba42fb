// SPDX-License-Identifier: Apache-2.0
#include "builder/sequential.hpp"

#include "builder/build_log.hpp"
#include "builder/package_caches.hpp"
#include "builder/step_runner.hpp"
#include "builder/support_files.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <chrono>

namespace sheaf::builder {
namespace {

/// What all links of a chain are built with.
struct Tools {
  const store::StoredLayer& base;
  store::Store& store;
  sandbox::Runtime& runtime;
  EventSink& events;
  const Downloads& downloads;
};

/// Builds one layer into the folder "upper" of `staging`.
Result<void> build_link(const plan::LayerPlan& plan, const std::vector<std::string>& lowers, store::Staging& staging,
                        const Tools& tools, std::stop_token stop) {
  const auto& [base, store, runtime, events, downloads] = tools;
  SHEAF_TRY(os::make_directories(staging.file("upper")));
  SHEAF_TRY_ASSIGN(const auto path, store.log_path(plan.name + "-sequence.log"));
  SHEAF_TRY_ASSIGN(const auto log, BuildLog::open(path, "layer " + plan.name, events));
  SHEAF_TRY_ASSIGN(auto support, prepare_support(staging.file("run"), "sheaf-build"));
  SHEAF_TRY_ASSIGN(const auto npm, store.folder("cache/npm"));
  SHEAF_TRY(add_build_support(support, npm));
  PackageCaches caches(store, staging);
  SHEAF_TRY(caches.open_on(base));
  Workbench bench{store, downloads, staging, lowers, staging.file("upper"), support, {}, base.record.epoch};
  SHEAF_TRY(caches.restore_lists(base.record.content_key, bench, runtime, *log, events, stop));
  bench.caches = caches.mounts();
  SHEAF_TRY(run_steps(plan, bench, runtime, *log, events, stop));
  log->finish();
  return caches.keep_downloads();
}

} // namespace

Result<Chain> Chain::build(const std::vector<plan::LayerPlan>& plans, const store::StoredLayer& base,
                           store::Store& store, sandbox::Runtime& runtime, EventSink& events,
                           const Downloads& downloads, std::stop_token stop) {
  Chain chain;
  chain.m_lowers.push_back(base.tree());
  for (std::size_t i = 1; i < plans.size(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto subject = "layer " + plans[i].name;
    events.emit({EventKind::begin, subject, fmt::format("in sequence, on the {} before it", i)});
    SHEAF_TRY_ASSIGN(auto staging, store.stage());
    const auto done = build_link(plans[i], chain.m_lowers, staging, {base, store, runtime, events, downloads}, stop);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (!done) {
      events.emit({EventKind::fail, subject, done.error().summary(), 0, 0, took.count()});
      return Error(done.error()).with_context(fmt::format("building layer '{}' in sequence", plans[i].name));
    }
    events.emit({EventKind::end, subject, "in sequence", 0, 0, took.count()});
    chain.m_lowers.push_back(staging.file("upper"));
    chain.m_stagings.push_back(std::move(staging));
  }
  return chain;
}

} // namespace sheaf::builder
