// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_mounts.hpp"

#include "base/digest.hpp"
#include "layer/parent_view.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace sheaf::builder {
namespace {

using Sharing = plan::CacheMount::Sharing;

/// Puts what the trees show at `path` into the directory `to`.
Result<void> copy_start(const std::vector<std::string>& lowers, const std::string& path, const std::string& to) {
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(lowers));
  const auto place = os::open_in_root(view.root(), path, O_RDONLY | O_DIRECTORY);
  if (!place) {
    return Error(ErrorCode::not_found, fmt::format("there is no directory '{}' for a cache to start with", path));
  }
  std::error_code error;
  std::filesystem::copy(fmt::format("/proc/self/fd/{}/.", place->get()), to,
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks, error);
  return error ? Error::from_errno(error.value(), fmt::format("copying what a cache starts with, '{}'", path))
               : Result<void>();
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
  if (!lowers.empty()) {
    SHEAF_TRY(copy_start(lowers, mount.path, draft));
  }
  if (chown(draft.c_str(), mount.uid, mount.gid) != 0 || chmod(draft.c_str(), mount.mode) != 0) {
    return Error::from_errno(errno, fmt::format("setting owner and permissions of cache '{}'", mount.id));
  }
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
