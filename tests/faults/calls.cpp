// SPDX-License-Identifier: Apache-2.0
#include "calls.hpp"

#include <seccomp.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace sheaf::faults {
namespace {

struct FaultName {
  Fault fault;
  std::string_view name;
  int number;
};

constexpr std::array k_names = {FaultName{Fault::kill, "kill", 0},          FaultName{Fault::enospc, "ENOSPC", ENOSPC},
                                FaultName{Fault::edquot, "EDQUOT", EDQUOT}, FaultName{Fault::eio, "EIO", EIO},
                                FaultName{Fault::eintr, "EINTR", EINTR},    FaultName{Fault::emfile, "EMFILE", EMFILE}};

constexpr Faults k_kill(Fault::kill);
constexpr Faults k_space(Fault::enospc, Fault::edquot);
constexpr Faults k_io = k_kill | Faults(Fault::eio);
constexpr Faults k_interrupted(Fault::eintr);
constexpr Faults k_descriptor(Fault::emfile);
constexpr Faults k_change = k_io | k_space;
/// O_CREAT adds that it may write.
constexpr Faults k_open = k_change | k_interrupted | k_descriptor;
constexpr Faults k_write = k_change | k_interrupted;

/// What each may fail with: the ERRORS sections of the manual pages, network file systems included (EINTR of fsync).
constexpr std::array k_calls = {
    Call{SCMP_SYS(open), "open", k_none, 0, k_open, 1},
    Call{SCMP_SYS(creat), "creat", k_none, 0, k_open},
    Call{SCMP_SYS(openat), "openat", 0, 1, k_open, 2},
    Call{SCMP_SYS(openat2), "openat2", 0, 1, k_open}, // its flags are behind a pointer; most of ours create nothing
    Call{SCMP_SYS(mkdir), "mkdir", k_none, 0, k_change},
    Call{SCMP_SYS(mkdirat), "mkdirat", 0, 1, k_change},
    Call{SCMP_SYS(rmdir), "rmdir", k_none, 0, k_io},
    Call{SCMP_SYS(unlink), "unlink", k_none, 0, k_io},
    Call{SCMP_SYS(unlinkat), "unlinkat", 0, 1, k_io},
    Call{SCMP_SYS(rename), "rename", k_none, 1, k_change},
    Call{SCMP_SYS(renameat), "renameat", 2, 3, k_change},
    Call{SCMP_SYS(renameat2), "renameat2", 2, 3, k_change},
    Call{SCMP_SYS(link), "link", k_none, 1, k_change},
    Call{SCMP_SYS(linkat), "linkat", 2, 3, k_change},
    Call{SCMP_SYS(symlink), "symlink", k_none, 1, k_change},
    Call{SCMP_SYS(symlinkat), "symlinkat", 1, 2, k_change},
    Call{SCMP_SYS(mknod), "mknod", k_none, 0, k_change},
    Call{SCMP_SYS(mknodat), "mknodat", 0, 1, k_change},
    Call{SCMP_SYS(read), "read", 0, k_none, k_io | k_interrupted},
    Call{SCMP_SYS(pread64), "pread64", 0, k_none, k_io | k_interrupted},
    Call{SCMP_SYS(readv), "readv", 0, k_none, k_io | k_interrupted},
    Call{SCMP_SYS(getdents64), "getdents64", 0, k_none, k_io},
    Call{SCMP_SYS(write), "write", 0, k_none, k_write},
    Call{SCMP_SYS(pwrite64), "pwrite64", 0, k_none, k_write},
    Call{SCMP_SYS(writev), "writev", 0, k_none, k_write},
    Call{SCMP_SYS(copy_file_range), "copy_file_range", 2, k_none, k_change},
    Call{SCMP_SYS(sendfile), "sendfile", 0, k_none, k_change},
    Call{SCMP_SYS(ftruncate), "ftruncate", 0, k_none, k_io | k_interrupted},
    Call{SCMP_SYS(fallocate), "fallocate", 0, k_none, k_write},
    Call{SCMP_SYS(fsync), "fsync", 0, k_none, k_write, k_none, true},
    Call{SCMP_SYS(fdatasync), "fdatasync", 0, k_none, k_write, k_none, true},
    Call{SCMP_SYS(syncfs), "syncfs", 0, k_none, k_change, k_none, true},
    Call{SCMP_SYS(sync_file_range), "sync_file_range", 0, k_none, k_change, k_none, true},
    Call{SCMP_SYS(flock), "flock", 0, k_none, k_kill | k_interrupted},
    Call{SCMP_SYS(fcntl), "fcntl", 0, k_none, k_kill | k_interrupted}, // of locks; see filter.cpp
    Call{SCMP_SYS(chmod), "chmod", k_none, 0, k_io},
    Call{SCMP_SYS(fchmod), "fchmod", 0, k_none, k_io},
    Call{SCMP_SYS(fchmodat), "fchmodat", 0, 1, k_io},
    Call{SCMP_SYS(chown), "chown", k_none, 0, k_change},
    Call{SCMP_SYS(lchown), "lchown", k_none, 0, k_change},
    Call{SCMP_SYS(fchown), "fchown", 0, k_none, k_change},
    Call{SCMP_SYS(fchownat), "fchownat", 0, 1, k_change},
    Call{SCMP_SYS(utimensat), "utimensat", 0, 1, k_io},
    Call{SCMP_SYS(setxattr), "setxattr", k_none, 0, k_change},
    Call{SCMP_SYS(lsetxattr), "lsetxattr", k_none, 0, k_change},
    Call{SCMP_SYS(fsetxattr), "fsetxattr", 0, k_none, k_change},
    Call{SCMP_SYS(removexattr), "removexattr", k_none, 0, k_io},
    Call{SCMP_SYS(lremovexattr), "lremovexattr", k_none, 0, k_io},
    Call{SCMP_SYS(fremovexattr), "fremovexattr", 0, k_none, k_io},
    Call{SCMP_SYS(memfd_create), "memfd_create", k_none, k_none, k_descriptor},
    Call{SCMP_SYS(pipe2), "pipe2", k_none, k_none, k_descriptor},
    Call{SCMP_SYS(socketpair), "socketpair", k_none, k_none, k_descriptor},
};

bool is_below(std::string_view path, std::string_view folder) { return path.starts_with(folder); }

/// Read by the loader before `main`, or when a library is loaded later.
bool is_library(std::string_view path) {
  return is_below(path, "/lib/") || is_below(path, "/lib64/") || is_below(path, "/usr/lib/") ||
         is_below(path, "/etc/ld.so.");
}

bool is_made_by_kernel(std::string_view path) { return is_below(path, "/proc/") || is_below(path, "/sys/"); }

bool may_write(const Call& call, const Arguments& arguments) {
  return call.flags == k_none || (arguments[static_cast<std::size_t>(call.flags)] & O_CREAT) != 0;
}

} // namespace

std::string_view to_string(Fault fault) { return k_names[static_cast<std::size_t>(fault)].name; }

std::optional<Fault> fault_from(std::string_view text) {
  const auto* found = std::find_if(k_names.begin(), k_names.end(), [&](const auto& row) { return row.name == text; });
  return found != k_names.end() ? std::optional(found->fault) : std::nullopt;
}

int errno_of(Fault fault) { return k_names[static_cast<std::size_t>(fault)].number; }

const Call* find_call(int number) {
  const auto* found =
      std::find_if(k_calls.begin(), k_calls.end(), [&](const Call& call) { return call.number == number; });
  return found != k_calls.end() ? found : nullptr;
}

std::span<const Call> all_calls() { return k_calls; }

Faults faults_of(const Call& call, const Arguments& arguments, std::string_view target) {
  if (call.descriptor == k_none && call.path == k_none) {
    return call.faults;
  }
  // Pipes, sockets and files in memory have no path, and no disk that fails.
  const bool is_device = is_below(target, "/dev/") && !is_below(target, "/dev/shm/");
  if (is_library(target) || is_device || is_below(target, "/memfd:") || !target.starts_with('/')) {
    return {};
  }
  Faults possible = call.faults;
  if (!may_write(call, arguments)) {
    possible = possible & (k_io | k_interrupted | k_descriptor);
  }
  if (is_made_by_kernel(target)) {
    possible = possible & (k_kill | k_interrupted | k_descriptor);
  }
  return possible;
}

} // namespace sheaf::faults
