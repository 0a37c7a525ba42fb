// SPDX-License-Identifier: Apache-2.0
#include "os/output_file.hpp"

#include "base/text.hpp"
#include "os/as_caller.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <vector>

namespace sheaf::os {
namespace {

/// "<target>.<pid>-<number>.partial", which its writer keeps locked.
constexpr std::string_view k_partial = ".partial";

bool is_partial_of(const std::string& target_name, std::string_view name) {
  const auto begin = target_name + ".";
  if (!name.starts_with(begin) || !name.ends_with(k_partial) || name.size() <= begin.size() + k_partial.size()) {
    return false;
  }
  const auto middle = name.substr(begin.size(), name.size() - begin.size() - k_partial.size());
  const auto dash = middle.find('-');
  return dash != std::string_view::npos && to_number<unsigned>(middle.substr(0, dash)) &&
         to_number<unsigned>(middle.substr(dash + 1));
}

/// Is `path` still the name of the open file?
bool is_still(const Fd& fd, const std::string& path) {
  struct stat held {};
  struct stat named {};
  return fstat(fd.get(), &held) == 0 && or_as_caller([&] { return ::stat(path.c_str(), &named); }) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/// Removes what writers of `target` left that were killed: nobody holds its lock.
void remove_abandoned(const std::string& target) {
  const auto slash = target.rfind('/');
  const auto folder = slash == std::string::npos ? std::string(".") : target.substr(0, slash + 1);
  const auto name = slash == std::string::npos ? target : target.substr(slash + 1);
  const auto entries = list_directory(folder);
  for (const auto& entry : entries ? *entries : std::vector<DirectoryEntry>()) {
    if (!is_partial_of(name, entry.name)) {
      continue;
    }
    const auto path = slash == std::string::npos ? entry.name : folder + entry.name;
    const auto fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd && flock(fd->get(), LOCK_EX | LOCK_NB) == 0 && is_still(*fd, path)) {
      ignore(remove_file_if_exists(path), "removing what a killed process left");
    }
  }
}

/// Makes and locks `path`; nothing if somebody has that name, or took the file away before it was locked.
Result<std::optional<Fd>> make_locked(const std::string& path) {
  auto fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!fd) {
    return fd.error().errno_value() == EEXIST ? Result<std::optional<Fd>>(std::nullopt) : std::move(fd).error();
  }
  while (flock(fd->get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  return is_still(*fd, path) ? std::optional(std::move(*fd)) : std::nullopt;
}

} // namespace

Result<OutputFile> OutputFile::create(const std::string& path) {
  struct stat info {};
  const bool exists = or_as_caller([&] { return ::stat(path.c_str(), &info); }) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is a directory", path)).with_hint("name a file");
  }
  if (exists && !S_ISREG(info.st_mode)) {
    SHEAF_TRY_ASSIGN(auto fd, open(path, O_WRONLY | O_NOCTTY));
    return OutputFile(std::move(fd), {}, path);
  }
  auto target = exists ? real_path(path) : Result<std::string>(path);
  SHEAF_TRY(target);
  remove_abandoned(*target);
  // The pid tells processes apart, the number the threads of one; O_EXCL follows no link that somebody put there.
  constexpr int k_attempts = 1000;
  for (int attempt = 0;; ++attempt) {
    auto partial = fmt::format("{}.{}-{}{}", *target, getpid(), attempt, k_partial);
    SHEAF_TRY_ASSIGN(auto fd, make_locked(partial));
    if (fd) {
      return OutputFile(std::move(*fd), std::move(partial), std::move(*target));
    }
    if (attempt == k_attempts) {
      return Error(ErrorCode::busy, fmt::format("making a temporary file beside '{}'", *target));
    }
  }
}

OutputFile::~OutputFile() {
  if (!m_partial.empty()) {
    ignore(remove_file_if_exists(m_partial), "what is left of a file that could not be written");
  }
}

Result<void> OutputFile::commit() {
  if (m_partial.empty()) {
    return m_fd.close();
  }
  SHEAF_TRY_ASSIGN(const auto locked, duplicate(m_fd)); // until it has its name
  SHEAF_TRY(m_fd.close());
  SHEAF_TRY(give_to_caller(m_partial));
  SHEAF_TRY(rename(m_partial, m_path));
  m_partial.clear();
  return {};
}

} // namespace sheaf::os
