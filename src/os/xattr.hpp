// SPDX-License-Identifier: Apache-2.0
#pragma once

// Extended attributes by /proc/self/fd path, so that O_PATH descriptors and symlinks need no second form.

#include "os/fd.hpp"

#include <map>
#include <string>
#include <string_view>

namespace sheaf::os {

/// Does the attribute belong to the file and go with it? Labels of security modules, checks of integrity and
/// overlayfs's marks belong to the machine that the file is on.
constexpr bool is_portable_attribute(std::string_view name) {
  return name != "security.selinux" && name != "security.ima" && name != "security.evm" && name != "security.SMACK64" &&
         name != "security.apparmor" && !name.starts_with("trusted.") && !name.starts_with("user.overlay.") &&
         !name.starts_with("system.nfs4_acl");
}

/// All attributes of `name` in `directory`, without following a symlink. File systems without support have none.
Result<std::map<std::string, std::string>> attributes_at(const Fd& directory, const std::string& name);
/// All attributes of the open file `file`; `name` is for messages.
Result<std::map<std::string, std::string>> attributes_of(const Fd& file, const std::string& name);
/// Removes one; one that is not there is success.
Result<void> remove_attribute_at(const Fd& directory, const std::string& name, const std::string& attribute);
Result<void> set_attribute(const Fd& file, const std::string& attribute, const std::string& value);
Result<void> set_attribute_at(const Fd& directory, const std::string& name, const std::string& attribute,
                              const std::string& value);

} // namespace sheaf::os
