// SPDX-License-Identifier: Apache-2.0
#include "recorder/calls.hpp"

#include <seccomp.h>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <unordered_map>

namespace sheaf::durability {
namespace {

// Names that the machine's kernel or architecture does not know are left out when the filter is made.
constexpr std::array k_calls = {
    Call{.name = "open", .kind = Kind::open, .path = 0, .extra = 1},
    Call{.name = "openat", .kind = Kind::open, .path = 1, .directory = 0, .extra = 2},
    Call{.name = "openat2", .kind = Kind::open, .path = 1, .directory = 0, .extra = 2},
    Call{.name = "creat", .kind = Kind::open, .path = 0},
    Call{.name = "mkdir", .kind = Kind::make, .path = 0},
    Call{.name = "mkdirat", .kind = Kind::make, .path = 1, .directory = 0},
    Call{.name = "mknod", .kind = Kind::make, .path = 0},
    Call{.name = "mknodat", .kind = Kind::make, .path = 1, .directory = 0},
    Call{.name = "symlink", .kind = Kind::make, .path = 1},
    Call{.name = "symlinkat", .kind = Kind::make, .path = 2, .directory = 1},
    Call{.name = "link", .kind = Kind::link, .path = 0, .to = 1},
    Call{.name = "linkat", .kind = Kind::link, .path = 1, .directory = 0, .to = 3, .to_directory = 2},
    Call{.name = "rename", .kind = Kind::move, .path = 0, .to = 1},
    Call{.name = "renameat", .kind = Kind::move, .path = 1, .directory = 0, .to = 3, .to_directory = 2},
    Call{.name = "renameat2", .kind = Kind::move, .path = 1, .directory = 0, .to = 3, .to_directory = 2, .extra = 4},
    Call{.name = "unlink", .kind = Kind::remove, .path = 0},
    Call{.name = "unlinkat", .kind = Kind::remove, .path = 1, .directory = 0},
    Call{.name = "rmdir", .kind = Kind::remove, .path = 0},
    Call{.name = "write", .kind = Kind::data, .fd = 0},
    Call{.name = "writev", .kind = Kind::data, .fd = 0},
    Call{.name = "pwrite64", .kind = Kind::range, .fd = 0, .extra = 3},
    Call{.name = "pwritev", .kind = Kind::range, .fd = 0, .extra = 3},
    Call{.name = "pwritev2", .kind = Kind::range, .fd = 0, .extra = 3},
    Call{.name = "sendfile", .kind = Kind::data, .fd = 0},
    Call{.name = "splice", .kind = Kind::size, .fd = 2},
    Call{.name = "copy_file_range", .kind = Kind::size, .fd = 2},
    Call{.name = "fallocate", .kind = Kind::size, .fd = 0},
    Call{.name = "ftruncate", .kind = Kind::size, .fd = 0},
    Call{.name = "truncate", .kind = Kind::size, .path = 0},
    Call{.name = "ioctl", .kind = Kind::size, .fd = 0},
    Call{.name = "chmod", .kind = Kind::meta, .path = 0},
    Call{.name = "fchmod", .kind = Kind::meta, .fd = 0},
    Call{.name = "fchmodat", .kind = Kind::meta, .path = 1, .directory = 0},
    Call{.name = "fchmodat2", .kind = Kind::meta, .path = 1, .directory = 0},
    Call{.name = "chown", .kind = Kind::meta, .path = 0},
    Call{.name = "lchown", .kind = Kind::meta, .path = 0},
    Call{.name = "fchown", .kind = Kind::meta, .fd = 0},
    Call{.name = "fchownat", .kind = Kind::meta, .path = 1, .directory = 0},
    Call{.name = "utimensat", .kind = Kind::meta, .path = 1, .directory = 0},
    Call{.name = "setxattr", .kind = Kind::meta, .path = 0},
    Call{.name = "lsetxattr", .kind = Kind::meta, .path = 0},
    Call{.name = "fsetxattr", .kind = Kind::meta, .fd = 0},
    Call{.name = "removexattr", .kind = Kind::meta, .path = 0},
    Call{.name = "lremovexattr", .kind = Kind::meta, .path = 0},
    Call{.name = "fremovexattr", .kind = Kind::meta, .fd = 0},
    Call{.name = "fsync", .kind = Kind::flush, .fd = 0},
    Call{.name = "fdatasync", .kind = Kind::flush, .fd = 0},
    Call{.name = "syncfs", .kind = Kind::flush_all, .fd = 0},
    Call{.name = "sync", .kind = Kind::flush_all},
};

constexpr std::uint32_t k_clone_file = 0x40049409;       // FICLONE, ioctl_ficlonerange(2)
constexpr std::uint32_t k_clone_file_range = 0x4020940D; // FICLONERANGE

int number_of(const Call& call) { return seccomp_syscall_resolve_name(std::string(call.name).c_str()); }

/// Only those that can change something: most files are opened to be read, and most ioctls are about terminals.
int add_rules(scmp_filter_ctx filter, const Call& call) {
  const auto add = [&](unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
    const scmp_arg_cmp compare{argument, SCMP_CMP_MASKED_EQ, mask, value};
    return seccomp_rule_add_array(filter, SCMP_ACT_TRACE(0), number_of(call), 1, &compare);
  };
  constexpr scmp_datum_t k_word = 0xFFFFFFFF;
  if (call.name == "ioctl") {
    return std::min(add(1, k_word, k_clone_file), add(1, k_word, k_clone_file_range));
  }
  if (call.name == "open" || call.name == "openat") {
    const auto flags = static_cast<unsigned>(call.extra);
    return std::min(add(flags, O_CREAT, O_CREAT), add(flags, O_CREAT | O_TRUNC, O_TRUNC));
  }
  return seccomp_rule_add_array(filter, SCMP_ACT_TRACE(0), number_of(call), 0, nullptr);
}

} // namespace

const Call* call_of(std::uint64_t number) {
  static const auto k_by_number = [] {
    std::unordered_map<std::uint64_t, const Call*> rows;
    for (const auto& call : k_calls) {
      if (const int known = number_of(call); known >= 0) {
        rows[static_cast<std::uint64_t>(known)] = &call;
      }
    }
    return rows;
  }();
  const auto found = k_by_number.find(number);
  return found != k_by_number.end() ? found->second : nullptr;
}

Result<void> stop_at_calls() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (!filter || seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0) != 0) {
    return Error(ErrorCode::internal, "making a system call filter");
  }
  for (const auto& call : k_calls) {
    if (number_of(call) < 0) {
      continue;
    }
    if (const int code = add_rules(filter.get(), call); code != 0) {
      return Error::from_errno(-code, "adding '" + std::string(call.name) + "' to a system call filter");
    }
  }
  if (const int code = seccomp_load(filter.get()); code != 0) {
    return Error::from_errno(-code, "loading a system call filter");
  }
  return {};
}

} // namespace sheaf::durability
