// SPDX-License-Identifier: Apache-2.0
#include "sandbox/seccomp_filter.hpp"

#include "os/fd.hpp"

#include <seccomp.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace sheaf::sandbox {
namespace {

/// Refused with EPERM. They reach the kernel itself, other containers or the host's clock, keys and modules; the OCI
/// runtimes' default profiles refuse them too. What needs CAP_SYS_ADMIN is refused by the missing capability already
/// and listed where a new user namespace would give it back.
constexpr std::array k_refused = {SCMP_SYS(acct),
                                  SCMP_SYS(add_key),
                                  SCMP_SYS(bpf),
                                  SCMP_SYS(clock_adjtime),
                                  SCMP_SYS(clock_adjtime64),
                                  SCMP_SYS(clock_settime),
                                  SCMP_SYS(clock_settime64),
                                  SCMP_SYS(create_module),
                                  SCMP_SYS(delete_module),
                                  SCMP_SYS(finit_module),
                                  SCMP_SYS(fsconfig),
                                  SCMP_SYS(fsmount),
                                  SCMP_SYS(fsopen),
                                  SCMP_SYS(fspick),
                                  SCMP_SYS(init_module),
                                  SCMP_SYS(ioperm),
                                  SCMP_SYS(iopl),
                                  SCMP_SYS(kexec_file_load),
                                  SCMP_SYS(kexec_load),
                                  SCMP_SYS(keyctl),
                                  SCMP_SYS(lookup_dcookie),
                                  SCMP_SYS(mount),
                                  SCMP_SYS(mount_setattr),
                                  SCMP_SYS(move_mount),
                                  SCMP_SYS(name_to_handle_at),
                                  SCMP_SYS(nfsservctl),
                                  SCMP_SYS(open_by_handle_at),
                                  SCMP_SYS(open_tree),
                                  SCMP_SYS(perf_event_open),
                                  SCMP_SYS(pivot_root),
                                  SCMP_SYS(quotactl),
                                  SCMP_SYS(reboot),
                                  SCMP_SYS(request_key),
                                  SCMP_SYS(setns),
                                  SCMP_SYS(settimeofday),
                                  SCMP_SYS(stime),
                                  SCMP_SYS(swapoff),
                                  SCMP_SYS(swapon),
                                  SCMP_SYS(syslog),
                                  SCMP_SYS(umount),
                                  SCMP_SYS(umount2),
                                  SCMP_SYS(unshare),
                                  SCMP_SYS(userfaultfd),
                                  SCMP_SYS(vhangup)};

constexpr std::array<unsigned, 7> k_namespaces = {CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWPID,   CLONE_NEWNET,
                                                  CLONE_NEWIPC, CLONE_NEWUTS,  CLONE_NEWCGROUP};

/// The other instruction sets that this kernel runs beside its own, under the same rules; libseccomp ends a program of
/// any set that the filter does not name.
int add_architectures(scmp_filter_ctx filter) {
#if defined(__x86_64__)
  constexpr std::array<std::uint32_t, 2> k_also = {SCMP_ARCH_X86, SCMP_ARCH_X32};
#elif defined(__aarch64__)
  constexpr std::array<std::uint32_t, 1> k_also = {SCMP_ARCH_ARM};
#else
  constexpr std::array<std::uint32_t, 0> k_also = {};
#endif
  for (const std::uint32_t architecture : k_also) {
    if (const int result = seccomp_arch_add(filter, architecture); result < 0 && result != -EEXIST) {
      return result;
    }
  }
  return 0;
}

int add_rules(scmp_filter_ctx filter) {
  for (const int call : k_refused) {
    // A call this architecture does not have needs no rule (EDOM, or a negative pseudo number).
    if (const int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0); result < 0 && result != -EDOM) {
      return result;
    }
  }
  for (const auto flag : k_namespaces) {
    const int result =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
    if (result < 0) {
      return result;
    }
  }
  // Pushing characters into the terminal that the caller's shell will read. Only the low half of the request counts.
  for (const unsigned long request : {static_cast<unsigned long>(TIOCSTI), static_cast<unsigned long>(TIOCLINUX)}) {
    const int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                        SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFUL, request));
    if (result < 0) {
      return result;
    }
  }
  // The flags of clone3 are behind a pointer, where no filter can look; ENOSYS makes the C library fall back to clone.
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

Result<std::vector<sock_filter>> instructions_of(scmp_filter_ctx filter) {
  SHEAF_TRY_ASSIGN(const os::Fd file, os::memory_file(""));
  if (const int result = seccomp_export_bpf(filter, file.get()); result < 0) {
    return Error::from_errno(-result, "compiling the seccomp filter");
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) {
    return Error::from_errno(errno, "compiling the seccomp filter");
  }
  SHEAF_TRY_ASSIGN(const auto bytes, os::read_all(file));
  std::vector<sock_filter> instructions(bytes.size() / sizeof(sock_filter));
  std::memcpy(instructions.data(), bytes.data(), instructions.size() * sizeof(sock_filter));
  return instructions;
}

Result<std::vector<sock_filter>> compile() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (!filter) {
    return Error(ErrorCode::internal, "creating a seccomp filter");
  }
  int result = add_architectures(filter.get());
  if (result == 0) {
    result = add_rules(filter.get());
  }
  if (result < 0) {
    return Error::from_errno(-result, "compiling the seccomp filter");
  }
  return instructions_of(filter.get());
}

const Result<std::vector<sock_filter>>& compiled() {
  static const auto k_filter = compile();
  return k_filter;
}

} // namespace

void prepare_seccomp_filter() { (void)compiled(); }

Result<void> install_seccomp_filter() {
  const auto& filter = compiled();
  if (!filter) {
    return filter.error();
  }
  // Without no_new_privs, which would take sudo away; we are privileged in our namespace and do not need it.
  const sock_fprog program{static_cast<unsigned short>(filter->size()), const_cast<sock_filter*>(filter->data())};
  if (filter->empty() || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    return Error::from_errno(errno, "installing the seccomp filter");
  }
  return {};
}

} // namespace sheaf::sandbox
