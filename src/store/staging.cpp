// SPDX-License-Identifier: Apache-2.0
#include "store/staging.hpp"

#include "base/text.hpp"
#include "os/as_caller.hpp"
#include "os/file.hpp"
#include "os/new_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace sheaf::store {
namespace {

constexpr const char* k_lock_name = "owner.lock";
constexpr const char* k_folder_prefix = "build-";
constexpr const char* k_file_prefix = "file-";
/// What is being removed: no abandoned build, whoever finishes it.
constexpr const char* k_trash_prefix = "trash-";

/// A file of `write_file` before it has its name; its lock says that its owner lives.
struct NewFile {
  os::Fd file;
  os::FileLock lock;
  std::string path;
};

Result<NewFile> create_file(const std::string& parent) {
  SHEAF_TRY_ASSIGN(const auto gate, os::FileLock::acquire(parent + "/gate.lock", os::LockMode::shared));
  auto path = fmt::format("{}/{}XXXXXX", parent, k_file_prefix);
  const auto pattern = path;
  os::Fd file(os::uninterrupted([&] {
    path = pattern;
    return mkostemp(path.data(), O_CLOEXEC);
  }));
  if (!file) {
    return Error::from_errno(errno, fmt::format("creating a file in '{}'", parent));
  }
  auto lock = os::FileLock::acquire(path, os::LockMode::exclusive);
  if (!lock) {
    unlink(path.c_str());
    return std::move(lock).error();
  }
  return NewFile{std::move(file), std::move(*lock), std::move(path)};
}

Result<void> fill(const NewFile& made, std::string_view content, os::Durable durable) {
  SHEAF_TRY(os::write_all(made.file, content));
  if (fchmod(made.file.get(), 0644) != 0) {
    return Error::from_errno(errno, "writing");
  }
  return durable == os::Durable::yes ? os::flush(made.file) : Result<void>();
}

} // namespace

Result<Staging> Staging::create(const std::string& parent) {
  // The shared lock on the parent keeps remove_abandoned() from seeing the folder before its own lock is held.
  SHEAF_TRY_ASSIGN(const auto gate, os::FileLock::acquire(parent + "/gate.lock", os::LockMode::shared));
  SHEAF_TRY_ASSIGN(auto directory, os::TempDir::create(parent, k_folder_prefix));
  SHEAF_TRY_ASSIGN(auto lock, os::FileLock::acquire(directory.path() + "/" + k_lock_name, os::LockMode::exclusive));
  SHEAF_TRY_ASSIGN(const auto file, os::open(directory.path() + "/" + k_lock_name, O_WRONLY));
  SHEAF_TRY(os::write_all(file, fmt::format("{}\n", getpid())));
  return Staging(std::move(directory), std::move(lock));
}

Result<std::vector<std::pair<std::string, int>>> Staging::list(const std::string& parent) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(parent));
  std::vector<std::pair<std::string, int>> owners;
  for (const auto& entry : entries) {
    if (!entry.name.starts_with(k_folder_prefix)) {
      continue;
    }
    const auto text = os::read_file(fmt::format("{}/{}/{}", parent, entry.name, k_lock_name)).value_or("");
    owners.emplace_back(entry.name, to_number<int>(std::string_view(text).substr(0, text.find('\n'))).value_or(0));
  }
  return owners;
}

namespace {

/// The lock of what nobody owns any more, ours now. Nothing if its owner lives, or finished meanwhile.
Result<std::optional<os::FileLock>> take_lock(const std::string& path) {
  if (!os::exists(path)) {
    return std::optional<os::FileLock>();
  }
  auto lock = os::FileLock::try_acquire(path, os::LockMode::exclusive);
  return !lock && lock.error().code() == ErrorCode::not_found ? std::optional<os::FileLock>() : std::move(lock);
}

/// A build without an owner, on its way out. Its lock keeps other processes from removing it, too; one that was killed
/// between making the two, or while removing them, leaves a folder without.
struct Abandoned {
  std::string path;
  std::optional<os::FileLock> lock;
};

/// Everybody who begins something waits at the gate: behind it the folder only gets its other name.
Result<std::optional<Abandoned>> take_build(const std::string& parent, const std::string& name) {
  SHEAF_TRY_ASSIGN(const auto gate, os::FileLock::acquire(parent + "/gate.lock", os::LockMode::exclusive));
  const auto path = fmt::format("{}/{}", parent, name);
  const auto lock_path = fmt::format("{}/{}", path, k_lock_name);
  const bool has_lock = os::exists(lock_path);
  SHEAF_TRY_ASSIGN(auto lock, take_lock(lock_path));
  if (!lock && (has_lock || !os::is_directory(path))) {
    return std::optional<Abandoned>();
  }
  auto trash = fmt::format("{}/{}{}", parent, k_trash_prefix, name);
  const bool is_renamed = os::rename(path, trash).has_value();
  return std::optional(Abandoned{is_renamed ? std::move(trash) : path, std::move(lock)});
}

/// True if there was a build to be removed, and it could be. What cannot be removed now (its processes are still dying)
/// is left for the next run.
Result<bool> remove_build(const std::string& parent, const std::string& name) {
  SHEAF_TRY_ASSIGN(const auto build, take_build(parent, name));
  return build && os::remove_all(build->path);
}

Result<void> remove_file(const std::string& parent, const std::string& path) {
  SHEAF_TRY_ASSIGN(const auto gate, os::FileLock::acquire(parent + "/gate.lock", os::LockMode::exclusive));
  SHEAF_TRY_ASSIGN(const auto lock, take_lock(path));
  if (lock) {
    ignore(os::remove_all(path), "removing an abandoned file; the next process tries again");
  }
  return {};
}

/// Unless somebody is at it.
Result<void> finish_removal(const std::string& path) {
  const auto lock_path = fmt::format("{}/{}", path, k_lock_name);
  const bool has_lock = os::exists(lock_path);
  SHEAF_TRY_ASSIGN(const auto lock, take_lock(lock_path));
  if (lock || !has_lock) {
    ignore(os::remove_all(path), "removing what another process began to remove; the next one tries again");
  }
  return {};
}

} // namespace

Staging::~Staging() {
  if (path().empty()) {
    return;
  }
  auto path = m_directory.keep();
  const auto slash = path.rfind('/') + 1;
  auto trash = path.substr(0, slash) + k_trash_prefix + path.substr(slash);
  if (os::rename(path, trash)) {
    path = std::move(trash);
  }
  ignore(os::remove_all(path), "removing a staging folder; the next process that opens the store does it");
}

Result<int> Staging::remove_abandoned(const std::string& parent) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(parent));
  int removed = 0;
  for (const auto& entry : entries) {
    const auto path = parent + "/" + entry.name;
    if (entry.name.starts_with(k_folder_prefix)) {
      SHEAF_TRY_ASSIGN(const bool is_gone, remove_build(parent, entry.name));
      removed += is_gone ? 1 : 0;
    } else if (entry.name.starts_with(k_file_prefix)) {
      SHEAF_TRY(remove_file(parent, path));
    } else if (entry.name.starts_with(k_trash_prefix)) {
      SHEAF_TRY(finish_removal(path));
    }
  }
  return removed;
}

Result<std::string> Staging::fresh_directory(const std::string& prefix) {
  auto path = fmt::format("{}/{}{}", m_directory.path(), prefix, m_count++);
  SHEAF_TRY(os::make_directories(path));
  return path;
}

Result<void> write_file(const std::string& root, const std::string& path, std::string_view content,
                        os::Durable durable) {
  const auto doing = fmt::format("writing '{}'", path);
  SHEAF_TRY_ASSIGN(const auto made, create_file(root + "/tmp").context(doing));
  auto done = fill(made, content, durable);
  if (done) {
    done = os::rename(made.path, path);
  }
  if (!done) {
    unlink(made.path.c_str());
    return std::move(done).context(doing);
  }
  return durable == os::Durable::yes ? os::sync_directory(path.substr(0, path.rfind('/'))).context(doing)
                                     : Result<void>();
}

} // namespace sheaf::store
