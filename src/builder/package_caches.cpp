// SPDX-License-Identifier: Apache-2.0
#include "builder/package_caches.hpp"

#include "builder/bootstrap.hpp"
#include "layer/parent_view.hpp"
#include "os/file.hpp"
#include "store/key_lock.hpp"

#include <dirent.h>

namespace sheaf::builder {
namespace {

constexpr const char* k_archives = "cache/apt";
/// Only a root with apt has use for what apt downloads.
constexpr const char* k_apt = "/usr/bin/apt-get";

} // namespace

std::string lists_of(const ContentKey& base) { return "generations/" + base.hex(); }

/// A folder of hard links to the files of `shared`. What is a lower of an overlay must not change while it is mounted
/// (overlayfs.rst), and other builds add to the shared folder.
Result<std::string> PackageCaches::snapshot(const std::string& shared) {
  SHEAF_TRY_ASSIGN(auto folder, m_staging.fresh_directory("cache-"));
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(shared));
  for (const auto& entry : entries) {
    if (entry.type == DT_REG) {
      SHEAF_TRY(os::hard_link(shared + "/" + entry.name, folder + "/" + entry.name));
    }
  }
  return folder;
}

Result<void> PackageCaches::add(const std::string& shared, const std::string& target) {
  SHEAF_TRY_ASSIGN(auto upper, m_staging.fresh_directory("cache-upper-"));
  m_mounts.push_back({shared, std::move(upper), "", target});
  return {};
}

Result<void> PackageCaches::open_for_base(const std::string& lists) {
  SHEAF_TRY_ASSIGN(const auto archives, m_store.folder(k_archives));
  SHEAF_TRY_ASSIGN(const auto packages, snapshot(archives));
  SHEAF_TRY(add(packages, "/var/cache/apt/archives"));
  return add(lists, "/var/lib/apt/lists");
}

Result<void> PackageCaches::open_on(const store::StoredLayer& base) {
  if (!os::exists(base.tree() + k_apt)) {
    return {}; // a mount would leave its mount point in the layer
  }
  SHEAF_TRY_ASSIGN(const auto shared, m_store.folder(lists_of(base.record.content_key)));
  SHEAF_TRY_ASSIGN(const auto lists, snapshot(shared));
  return open_for_base(lists);
}

Result<bool> PackageCaches::open_for_image(const std::string& lists, Workbench bench, sandbox::Runtime& runtime,
                                           BuildLog& log, EventSink& events, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto root, layer::ParentView::open(bench.lowers));
  SHEAF_TRY_ASSIGN(const bool has_apt, root.has(k_apt));
  if (!has_apt) {
    return false;
  }
  SHEAF_TRY(os::make_directories(lists));
  SHEAF_TRY(open_for_base(lists));
  SHEAF_TRY(fetch_lists(lists, std::move(bench), runtime, log, events, stop));
  return true;
}

Result<void> PackageCaches::fetch_lists(const std::string& to, Workbench bench, sandbox::Runtime& runtime,
                                        BuildLog& log, EventSink& events, std::stop_token stop) {
  plan::LayerPlan update;
  plan::RunStep run;
  run.argv = {"apt-get", "update"};
  run.environment = {{"PATH", plan::k_default_path}};
  run.user = "root";
  update.steps = {{"apt-get update", 0, std::move(run)}};
  // Where the run has its work directory, which must be on the same file system.
  SHEAF_TRY_ASSIGN(bench.upper, bench.staging.fresh_directory("update-"));
  bench.caches = m_mounts;
  SHEAF_TRY(run_steps(update, bench, runtime, log, events, stop));
  return harvest(m_mounts.back().upper, to, "");
}

Result<void> PackageCaches::restore_lists(const ContentKey& base, Workbench bench, sandbox::Runtime& runtime,
                                          BuildLog& log, EventSink& events, std::stop_token stop) {
  if (m_mounts.empty()) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto shared, m_store.folder(lists_of(base)));
  SHEAF_TRY_ASSIGN(const auto lock, store::wait_for_key(m_store, "lists-" + base.hex(), stop));
  SHEAF_TRY_ASSIGN(const auto present, os::list_directory(shared));
  if (present.empty()) {
    SHEAF_TRY(fetch_lists(shared, std::move(bench), runtime, log, events, stop));
  }
  // Another build may have fetched them while we waited.
  SHEAF_TRY_ASSIGN(m_mounts.back().shared, snapshot(shared));
  return {};
}

Result<void> PackageCaches::keep_downloads() {
  if (m_mounts.empty()) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto archives, m_store.folder(k_archives));
  return harvest(m_mounts.front().upper, archives, ".deb");
}

} // namespace sheaf::builder
