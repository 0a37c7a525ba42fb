// SPDX-License-Identifier: Apache-2.0
#include "store/staging.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <cerrno>

namespace sheaf::store {
namespace {

constexpr const char* k_lock_name = "owner.lock";

} // namespace

Result<Staging> Staging::create(const std::string& parent) {
  // The shared lock on the parent keeps remove_abandoned() from seeing the folder before its own lock is held.
  SHEAF_TRY_ASSIGN(const auto gate, os::FileLock::acquire(parent + "/gate.lock", os::LockMode::shared));
  SHEAF_TRY_ASSIGN(auto directory, os::TempDir::create(parent, "build-"));
  SHEAF_TRY_ASSIGN(auto lock, os::FileLock::acquire(directory.path() + "/" + k_lock_name, os::LockMode::exclusive));
  return Staging(std::move(directory), std::move(lock));
}

Result<int> Staging::remove_abandoned(const std::string& parent) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(parent));
  int removed = 0;
  for (const auto& entry : entries) {
    const auto path = parent + "/" + entry.name;
    if (!entry.name.starts_with("build-")) {
      continue;
    }
    SHEAF_TRY_ASSIGN(const auto gate, os::FileLock::acquire(parent + "/gate.lock", os::LockMode::exclusive));
    if (!os::is_directory(path)) {
      continue; // its owner finished meanwhile
    }
    auto lock = os::FileLock::try_acquire(path + "/" + k_lock_name, os::LockMode::exclusive);
    if (!lock && lock.error().code() == ErrorCode::not_found) {
      continue; // its owner is removing it right now
    }
    SHEAF_TRY(lock);
    // What cannot be removed now (its owner is at it, its processes are still dying) is left for the next run.
    if (*lock && os::remove_all(path)) {
      ++removed;
    }
  }
  return removed;
}

Result<std::string> Staging::fresh_directory(const std::string& prefix) {
  auto path = fmt::format("{}/{}{}", m_directory.path(), prefix, m_count++);
  SHEAF_TRY(os::make_directories(path));
  return path;
}

} // namespace sheaf::store
