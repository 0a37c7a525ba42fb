// SPDX-License-Identifier: Apache-2.0
#include "sandbox/capabilities.hpp"

#include "os/namespaces.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace sheaf::sandbox {
namespace {

/// What a container's root may do: the default set of the OCI runtimes.
constexpr std::array k_capabilities = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,           CAP_MKNOD,      CAP_NET_RAW, CAP_SETGID,
    CAP_SETUID, CAP_SETFCAP,      CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,    CAP_AUDIT_WRITE};

/// Without a user namespace a device node is the host's device: no control group stands in between here.
bool is_kept(int capability) {
  return std::ranges::find(k_capabilities, capability) != k_capabilities.end() &&
         (capability != CAP_MKNOD || !os::in_initial_user_namespace());
}

} // namespace

Result<void> drop_capabilities() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (!is_kept(capability) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return Error::from_errno(errno, "dropping a capability from the bounding set");
    }
  }
  return {};
}

Result<void> limit_to_container_set() {
  std::uint64_t mask = 0;
  for (const int capability : k_capabilities) {
    mask |= is_kept(capability) ? std::uint64_t{1} << static_cast<unsigned>(capability) : 0;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) {
    return Error::from_errno(errno, "reading capabilities");
  }
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto allowed = static_cast<std::uint32_t>(i == 0 ? mask : mask >> 32U);
    data[i].permitted &= allowed;
    data[i].effective = data[i].permitted;
    data[i].inheritable = 0;
  }
  if (syscall(SYS_capset, &header, data.data()) != 0) {
    return Error::from_errno(errno, "limiting capabilities");
  }
  return {};
}

} // namespace sheaf::sandbox
