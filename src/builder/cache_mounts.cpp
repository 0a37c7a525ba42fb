// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_mounts.hpp"

#include "base/digest.hpp"
#include "layer/parent_view.hpp"
#include "os/file.hpp"
#include "sandbox/copy_entries.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "context/selection.hpp"

namespace sheaf::builder {
namespace {

using Sharing = plan::CacheMount::Sharing;

/// Puts what the trees show at `path` into the directory `to`, which becomes a copy of that one.
Result<void> copy_start(const std::vector<std::string>& lowers, const std::string& path, const std::string& to) {
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(lowers));
  const auto place = os::open_in_root(view.root(), path, O_RDONLY | O_DIRECTORY);
  if (!place) {
    return Error(ErrorCode::not_found, fmt::format("there is no directory '{}' for a cache to start with", path));
  }
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(*place));
  SHEAF_TRY_ASSIGN(const auto target, os::open(to, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(const auto selected, context::select(*place, {{"/"}, {}, false}, nullptr));
  const sandbox::CopyAttributes as_there;
  SHEAF_TRY(sandbox::EntryCopier(*place, target, as_there).copy_folder(selected.front()));
  if (fchown(target.get(), info.st_uid, info.st_gid) != 0 || fchmod(target.get(), info.st_mode & 07777U) != 0) {
    return Error::from_errno(errno, "setting owner and permissions");
  }
  return {};
}

/// Source: BuildKit, which makes a directory with the mount's owner and mode only if the cache starts empty.
Result<void> fill(const plan::CacheMount& mount, const std::vector<std::string>& lowers, const std::string& draft) {
  if (!lowers.empty()) {
    return copy_start(lowers, mount.path, draft)
        .context(fmt::format("copying '{}', which cache '{}' starts with", mount.path, mount.id));
  }
  if (chown(draft.c_str(), mount.uid, mount.gid) != 0 || chmod(draft.c_str(), mount.mode) != 0) {
    return Error::from_errno(errno, fmt::format("setting owner and permissions of cache '{}'", mount.id));
  }
  return {};
}

/// Under another name first, so that a copy that was broken off is not taken for a cache.
Result<void> make(const plan::CacheMount& mount, const std::vector<std::string>& lowers, const std::string& folder) {
  const auto data = folder + "/data";
  if (os::is_directory(data)) {
    return {};
  }
  const auto draft = folder + "/draft";
  SHEAF_TRY(os::remove_all(draft));
  SHEAF_TRY(os::make_directories(draft));
  SHEAF_TRY(fill(mount, lowers, draft));
  return os::rename(draft, data);
}

} // namespace

Result<CacheDirectory> CacheMounts::take(const plan::CacheMount& mount, const std::vector<std::string>& lowers,
                                         const std::string& start, std::stop_token stop) const {
  const auto name = Digest::of(fmt::format("{}\n{}\n{}", mount.id, start, lowers.empty() ? "" : mount.path)).hex();
  for (int number = 0;; number += mount.sharing == Sharing::private_copy ? 1 : 0) {
    const auto folder = fmt::format("{}/{}-{}", m_folder, name, number);
    SHEAF_TRY(os::make_directories(folder));
    {
      SHEAF_TRY_ASSIGN(const auto making, os::FileLock::acquire(folder + "/making", os::LockMode::exclusive));
      SHEAF_TRY(make(mount, lowers, folder));
    }
    const auto mode = mount.sharing == Sharing::shared ? os::LockMode::shared : os::LockMode::exclusive;
    SHEAF_TRY_ASSIGN(auto lock, os::FileLock::try_acquire(folder + "/lock", mode));
    if (lock) {
      return CacheDirectory{folder + "/data", std::move(lock)};
    }
    if (mount.sharing != Sharing::private_copy) {
      if (stop.stop_requested()) {
        return Error(ErrorCode::cancelled, fmt::format("stopped while waiting for cache '{}'", mount.id));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

} // namespace sheaf::builder
