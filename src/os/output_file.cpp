// SPDX-License-Identifier: Apache-2.0
#include "os/output_file.hpp"

#include "os/as_caller.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::os {

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
  // The pid tells processes apart, the number the threads of one; O_EXCL follows no link that somebody put there.
  constexpr int k_attempts = 1000;
  for (int attempt = 0;; ++attempt) {
    auto partial = fmt::format("{}.{}-{}.partial", *target, getpid(), attempt);
    auto fd = open(partial, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd) {
      return OutputFile(std::move(*fd), std::move(partial), std::move(*target));
    }
    if (fd.error().errno_value() != EEXIST || attempt == k_attempts) {
      return std::move(fd).error();
    }
  }
}

OutputFile::~OutputFile() {
  if (!m_partial.empty()) {
    ignore(remove_file_if_exists(m_partial), "what is left of a file that could not be written");
  }
}

Result<void> OutputFile::commit() {
  SHEAF_TRY(m_fd.close());
  if (m_partial.empty()) {
    return {};
  }
  SHEAF_TRY(give_to_caller(m_partial));
  SHEAF_TRY(rename(m_partial, m_path));
  m_partial.clear();
  return {};
}

} // namespace sheaf::os
