// SPDX-License-Identifier: Apache-2.0
#include "store/walk.hpp"

#include "os/file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <set>
#include <utility>

namespace sheaf::store {

Result<void> walk(const os::Fd& folder, const std::string& name, std::optional<dev_t> device,
                  const std::function<void(const struct stat&)>& visit) {
  struct stat info {};
  if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<void>() : Result<void>(Error::from_errno(errno, "looking at '" + name + "'"));
  }
  if (device && info.st_dev != *device) {
    return {};
  }
  visit(info);
  if (!S_ISDIR(info.st_mode)) {
    return {};
  }
  auto inner = os::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!inner) { // gone, or of somebody else, as a file system's lost+found
    const bool is_left_out = inner.error().code() == ErrorCode::not_found || inner.error().code() == ErrorCode::denied;
    return is_left_out ? Result<void>() : Result<void>(std::move(inner).error());
  }
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(*inner));
  for (const auto& entry : entries) {
    SHEAF_TRY(walk(*inner, entry.name, info.st_dev, visit));
  }
  return {};
}

std::uint64_t allocated_bytes(const struct stat& info) {
  constexpr std::uint64_t k_block = 512; // stat(2): st_blocks counts units of 512 bytes, whatever the file system's are
  return static_cast<std::uint64_t>(info.st_blocks) * k_block;
}

Result<std::uint64_t> total_bytes(const std::string& path) {
  SHEAF_TRY_ASSIGN(const auto folder, os::open(path, O_RDONLY | O_DIRECTORY));
  std::uint64_t bytes = 0;
  std::set<std::pair<dev_t, ino_t>> counted;
  const auto add = [&](const struct stat& info) {
    const bool is_new = S_ISDIR(info.st_mode) || info.st_nlink == 1 || counted.emplace(info.st_dev, info.st_ino).second;
    bytes += is_new ? allocated_bytes(info) : 0;
  };
  SHEAF_TRY_ASSIGN(const auto own, os::stat_of(folder));
  add(own);
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (const auto& entry : entries) { // each of which may be a disk of its own
    SHEAF_TRY(walk(folder, entry.name, std::nullopt, add));
  }
  return bytes;
}

} // namespace sheaf::store
