// SPDX-License-Identifier: Apache-2.0
#pragma once

// Turns the helper's last child into the command: user, groups, capabilities, seccomp filter, working directory, exec.

#include "base/result.hpp"
#include "os/fd.hpp"
#include "sandbox/spec.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::sandbox {

/// Who a command runs as.
struct Identity {
  unsigned uid = 0;
  unsigned gid = 0;
  std::vector<unsigned> groups;
  std::string name = "root";
  std::string home = "/";
};

/// Resolves a USER value against the texts of /etc/passwd and /etc/group. `not_found` for an unknown name.
/// Source: Dockerfile reference, USER; a numeric id needs no entry.
Result<Identity> resolve_user(std::string_view user, std::string_view passwd, std::string_view group);

struct Owner {
  unsigned uid = 0;
  unsigned gid = 0;
};
/// The owner that `text` means for files: as for users, but a number alone is also the group (Dockerfile reference,
/// COPY --chown). Empty is root.
Result<Owner> owner_in_root(const os::Fd& root, const std::string& text);

/// As resolve_user, with the files of the mounted `root`, which symlinks cannot leave. Missing files are empty ones.
Result<Identity> identity_in_root(const os::Fd& root, const std::string& user);

/// Why a command did not start, and what to end with.
struct StartFailure {
  Error error;
  /// As shells have it: 127 if there is no such program, 126 if it cannot be executed. Nothing: the sandbox itself is
  /// at fault, not the command.
  std::optional<int> exit_code;
};

/// Replaces this process; returns only the reason why it could not.
StartFailure become_command(const RunCommand& command);

} // namespace sheaf::sandbox
