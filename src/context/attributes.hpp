// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which extended attributes belong to a file and go with it; the others belong to the machine it is on.

#include <string_view>

namespace sheaf::context {

/// Labels of security modules, checks of integrity and overlayfs's marks do not go with a file.
constexpr bool is_portable_attribute(std::string_view name) {
  return name != "security.selinux" && name != "security.ima" && name != "security.evm" && name != "security.SMACK64" &&
         name != "security.apparmor" && !name.starts_with("trusted.") && !name.starts_with("user.overlay.") &&
         !name.starts_with("system.nfs4_acl");
}

} // namespace sheaf::context
