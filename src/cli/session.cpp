// SPDX-License-Identifier: Apache-2.0
#include "cli/session.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "store/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace sheaf::cli {

Result<void> become_able(const Invocation& invocation, os::OwnMounts mounts) {
  if (os::effective_uid() != 0) {
    // As ourselves, so that the store's own folder belongs to us and not to a sub-id.
    SHEAF_TRY(store::check_is_store(invocation.store_root).context("opening the store"));
    SHEAF_TRY(os::make_directories(invocation.store_root).context("creating the store"));
    SHEAF_TRY(os::enter_user_namespace(mounts));
  }
  return invocation.interrupts->watch();
}

Result<store::Store> open_store(Invocation& invocation) {
  SHEAF_TRY(become_able(invocation, os::OwnMounts::yes));
  SHEAF_TRY_ASSIGN(auto store, store::Store::open(invocation.store_root));
  store.heed(invocation.stop());
  if (store.abandoned() > 0) {
    invocation.events->emit({EventKind::note, "store",
                             fmt::format("removed {} unfinished {} of a sheaf that was killed", store.abandoned(),
                                         store.abandoned() == 1 ? "build" : "builds")});
  }
  return store;
}

unsigned image_jobs() { return std::max(8U, 2 * std::thread::hardware_concurrency()); }

Result<unsigned> jobs_of(const Invocation& invocation, unsigned otherwise) {
  const auto text = invocation.value("jobs");
  if (!text) {
    return otherwise;
  }
  const auto jobs = to_number<unsigned>(*text);
  if (!jobs || *jobs < 1 || *jobs > 64) {
    return Error(ErrorCode::invalid, fmt::format("'--jobs {}' is not a number from 1 to 64", *text));
  }
  return *jobs;
}

} // namespace sheaf::cli
