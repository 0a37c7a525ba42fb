// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"

#include "os/as_caller.hpp"
#include "os/new_file.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace sheaf::os {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Result<Fd> open_to_empty(const Fd& directory, const std::string& name) {
  const auto open_it = [&] {
    return Fd(uninterrupted(
        [&] { return openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  };
  auto child = open_it();
  if (!child && errno == EACCES) {
    // A directory without permission bits, as overlayfs leaves its work directory.
    fchmodat(directory.get(), name.c_str(), 0700, 0);
    child = open_it();
  }
  if (!child) {
    return Error::from_errno(errno, fmt::format("opening directory '{}' to remove it", name));
  }
  return child;
}

/// Back from `child` to the directory it was opened from; refuses if somebody moved it meanwhile.
Result<Fd> parent_again(const Fd& child, const struct stat& expected) {
  SHEAF_TRY_ASSIGN(auto parent, open_at(child, "..", O_RDONLY | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(const auto info, stat_of(parent));
  if (info.st_ino != expected.st_ino || info.st_dev != expected.st_dev) {
    return Error(ErrorCode::busy, "a directory was moved while it was being removed");
  }
  return parent;
}

/// Empties `directory`. Holds one descriptor however deep the tree is: on the way down the parent is closed, on the way
/// up it is opened again.
Result<void> remove_contents(Fd& directory);

Result<void> remove_at(Fd& directory, const std::string& name) {
  if (unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT) {
    return {};
  }
  if (errno != EISDIR && errno != EPERM && errno != ENOTEMPTY) {
    return Error::from_errno(errno, fmt::format("removing '{}'", name));
  }
  SHEAF_TRY_ASSIGN(const auto info, stat_of(directory));
  SHEAF_TRY_ASSIGN(auto child, open_to_empty(directory, name));
  SHEAF_TRY(directory.close());
  SHEAF_TRY(remove_contents(child));
  SHEAF_TRY_ASSIGN(directory, parent_again(child, info));
  if (unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return Error::from_errno(errno, fmt::format("removing directory '{}'", name));
  }
  return {};
}

Result<void> remove_contents(Fd& directory) {
  SHEAF_TRY_ASSIGN(const auto entries, list_directory(directory));
  for (const auto& entry : entries) {
    SHEAF_TRY(remove_at(directory, entry.name));
  }
  return {};
}

/// Removes a temporary file unless it was renamed into place.
struct Leftover {
  std::string path;
  bool armed = true;
  ~Leftover() {
    if (armed) {
      unlink(path.c_str());
    }
  }
};

} // namespace

Result<std::string> read_file(const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd fd, open(path, O_RDONLY));
  return read_all(fd).context(fmt::format("reading '{}'", path));
}

Result<std::optional<std::string>> read_file_if_exists(const std::string& path) {
  auto content = read_file(path);
  if (content) {
    return std::optional(std::move(*content));
  }
  if (content.error().code() == ErrorCode::not_found) {
    return std::optional<std::string>();
  }
  return std::move(content).error();
}

bool exists(const std::string& path) {
  constexpr int k_flags = AT_SYMLINK_NOFOLLOW | AT_EACCESS;
  return or_as_caller([&] { return faccessat(AT_FDCWD, path.c_str(), F_OK, k_flags); }) == 0;
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return or_as_caller([&] { return ::stat(path.c_str(), &info); }) == 0 && S_ISDIR(info.st_mode);
}

Result<void> write_file(const std::string& path, std::string_view content, Durable durable, mode_t mode) {
  const auto doing = fmt::format("writing '{}'", path);
  std::string temporary;
  Fd fd(or_as_caller([&] {
    temporary = path + ".XXXXXX";
    return mkostemp(temporary.data(), O_CLOEXEC);
  }));
  if (!fd) {
    return Error::from_errno(errno, doing);
  }
  Leftover leftover{temporary};
  SHEAF_TRY(write_all(fd, content).context(doing));
  if (fchmod(fd.get(), mode) != 0) {
    return Error::from_errno(errno, doing);
  }
  if (durable == Durable::yes) {
    SHEAF_TRY(flush(fd).context(doing));
  }
  SHEAF_TRY(fd.close().context(doing));
  SHEAF_TRY(rename(temporary, path));
  leftover.armed = false;
  return durable == Durable::yes ? sync_directory(parent_of(path)).context(doing) : Result<void>();
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (path.empty() || is_directory(path)) {
    return {};
  }
  const auto parent = parent_of(path);
  if (parent != path && parent != ".") {
    SHEAF_TRY(make_directories(parent, mode));
  }
  const auto doing = fmt::format("creating directory '{}'", path);
  if (or_as_caller([&] { return mkdir(path.c_str(), mode); }) != 0) {
    const auto failure = errno;
    if (failure != EEXIST) {
      return Error::from_errno(failure, doing);
    }
    if (!is_directory(path)) { // else another process made it just now
      return Error(ErrorCode::invalid, fmt::format("{}: something else has that name", doing))
          .with_hint(fmt::format("move '{}' away; it is made anew", path));
    }
  }
  return {};
}

Result<void> rename(const std::string& from, const std::string& to) {
  if (or_as_caller([&] { return ::rename(from.c_str(), to.c_str()); }) != 0) {
    return Error::from_errno(errno, fmt::format("renaming '{}' to '{}'", from, to));
  }
  return {};
}

Result<void> hard_link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) {
    return Error::from_errno(errno, fmt::format("linking '{}' to '{}'", to, from));
  }
  return {};
}

Result<void> remove_all(const std::string& path) {
  auto parent = open(parent_of(path), O_RDONLY | O_DIRECTORY);
  if (!parent) {
    return parent.error().code() == ErrorCode::not_found ? Result<void>() : Result<void>(std::move(parent).error());
  }
  return remove_at(*parent, path.substr(path.find_last_of('/') + 1)).context(fmt::format("removing '{}'", path));
}

Result<void> remove_file_if_exists(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return Error::from_errno(errno, fmt::format("removing '{}'", path));
  }
  return {};
}

Result<void> sync_file_system(const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd fd, open(path, O_RDONLY));
  if (uninterrupted([&] { return syncfs(fd.get()); }) != 0) {
    return Error::from_errno(errno, fmt::format("flushing the file system of '{}'", path));
  }
  return {};
}

Result<void> sync_directory(const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd directory, open(path, O_RDONLY | O_DIRECTORY));
  return flush(directory).context(fmt::format("flushing the directory '{}'", path));
}

Result<std::vector<DirectoryEntry>> list_directory(const Fd& directory) {
  Fd copy(or_as_caller([&] { return openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!copy) {
    return Error::from_errno(errno, "opening a directory");
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy.get()), closedir);
  if (!stream) {
    return Error::from_errno(errno, "reading a directory");
  }
  (void)copy.release(); // the stream owns it now
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const auto* entry = readdir(stream.get());
    if (entry == nullptr) {
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      entries.push_back({std::string(name), entry->d_type});
    }
  }
  if (errno != 0) {
    return Error::from_errno(errno, "reading a directory");
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd fd, open(path, O_RDONLY | O_DIRECTORY));
  return list_directory(fd).context(fmt::format("listing '{}'", path));
}

std::optional<FileStamp> stamp(const std::string& path) {
  struct stat info {};
  if (or_as_caller([&] { return ::stat(path.c_str(), &info); }) != 0) {
    return std::nullopt;
  }
  return FileStamp{info.st_ino, static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim),
                   nanoseconds(info.st_ctim)};
}

Result<std::string> real_path(const std::string& path) {
  std::unique_ptr<char, void (*)(void*)> resolved(nullptr, std::free);
  const auto resolve = [&] {
    resolved.reset(realpath(path.c_str(), nullptr));
    return resolved ? 0 : -1;
  };
  if (or_as_caller(resolve) != 0) {
    return Error::from_errno(errno, fmt::format("resolving '{}'", path));
  }
  return std::string(resolved.get());
}

Result<std::string> read_link_at(const Fd& directory, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const auto length = readlinkat(directory.get(), name.c_str(), target.data(), target.size());
  if (length < 0) {
    return Error::from_errno(errno, fmt::format("reading symlink '{}'", name));
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

std::string home_directory() {
  if (auto home = environment("HOME")) {
    return *home;
  }
  const auto* entry = getpwuid(getuid());
  return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "/";
}

std::string boot_id() {
  static const std::string k_id = [] { // asked for once per step
    const auto text = read_file("/proc/sys/kernel/random/boot_id");
    return text ? text->substr(0, text->find('\n')) : std::string();
  }();
  return k_id;
}

} // namespace sheaf::os
