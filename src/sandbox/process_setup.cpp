// SPDX-License-Identifier: Apache-2.0
#include "sandbox/process_setup.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "sandbox/capabilities.hpp"
#include "sandbox/resource_limits.hpp"
#include "sandbox/seccomp_filter.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sheaf::sandbox {
namespace {

std::optional<std::vector<std::string_view>> find_line(std::string_view text, std::size_t fields, std::size_t column,
                                                       std::string_view value) {
  for (const auto line : lines_of(text)) {
    auto parts = split(line, ':');
    if (parts.size() >= fields && parts[column] == value) {
      return parts;
    }
  }
  return std::nullopt;
}

/// A line with a damaged id must not become root's.
Result<Identity> from_passwd(const std::vector<std::string_view>& line) {
  const auto uid = to_number<unsigned>(line[2]);
  const auto gid = to_number<unsigned>(line[3]);
  if (!uid || !gid) {
    return Error(ErrorCode::corrupt, fmt::format("the line of user '{}' in /etc/passwd is damaged", line[0]));
  }
  Identity identity;
  identity.name = std::string(line[0]);
  identity.uid = *uid;
  identity.gid = *gid;
  identity.home = std::string(line[5]);
  return identity;
}

std::vector<unsigned> supplementary_groups(std::string_view group, std::string_view name) {
  std::vector<unsigned> groups;
  for (const auto line : lines_of(group)) {
    const auto parts = split(line, ':');
    if (parts.size() < 4) {
      continue;
    }
    const auto members = split(parts[3], ',');
    if (const auto gid = to_number<unsigned>(parts[2]); gid && std::ranges::find(members, name) != members.end()) {
      groups.push_back(*gid);
    }
  }
  return groups;
}

Result<void> change_user(const Identity& identity) {
  std::vector<gid_t> groups(identity.groups.begin(), identity.groups.end());
  if (std::ranges::find(groups, identity.gid) == groups.end()) {
    groups.insert(groups.begin(), identity.gid);
  }
  if (setgroups(groups.size(), groups.data()) != 0 || setresgid(identity.gid, identity.gid, identity.gid) != 0 ||
      setresuid(identity.uid, identity.uid, identity.uid) != 0) {
    return Error::from_errno(errno, fmt::format("becoming user '{}'", identity.name));
  }
  return {};
}

bool has_variable(const std::vector<std::string>& environment, std::string_view name) {
  return std::ranges::any_of(environment, [&](const std::string& entry) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
  });
}

std::vector<std::string> complete_environment(const RunCommand& command, const Identity& identity) {
  auto environment = command.environment;
  const std::array<std::pair<std::string_view, std::string_view>, 3> defaults = {
      {{"HOME", identity.home}, {"USER", identity.name}, {"LOGNAME", identity.name}}};
  for (const auto& [name, value] : defaults) {
    if (command.only_home && name != "HOME") {
      continue;
    }
    if (!has_variable(environment, name)) {
      environment.push_back(fmt::format("{}={}", name, value));
    }
  }
  return environment;
}

StartFailure exec(const RunCommand& command, std::vector<std::string> environment) {
  std::vector<char*> argv;
  for (const auto& word : command.argv) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> env;
  for (auto& entry : environment) {
    if (entry.starts_with("PATH=")) {
      setenv("PATH", entry.c_str() + 5, 1); // execvpe(3) searches the caller's PATH
    }
    env.push_back(entry.data());
  }
  env.push_back(nullptr);
  execvpe(argv[0], argv.data(), env.data());
  const bool is_missing = errno == ENOENT || errno == ENOTDIR;
  auto error = Error::from_errno(errno, fmt::format("starting '{}'", command.argv[0]));
  if (is_missing) {
    return {std::move(error).with_hint("is the program in this root (a layer or the image), and in PATH?"), 127};
  }
  return {std::move(error), 126};
}

/// Nothing if it is missing, or no regular file: nobody writes to a fifo there.
Result<std::string> text_of(const os::Fd& root, const char* path) {
  const auto file = os::open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  if (!file && file.error().code() != ErrorCode::not_found) {
    return file.error();
  }
  const auto info = file ? os::stat_of(*file) : Result<struct stat>(file.error());
  return info && S_ISREG(info->st_mode) ? os::read_all(*file) : Result<std::string>(std::string());
}

Result<Identity> identity_of(const std::string& user) {
  SHEAF_TRY_ASSIGN(const auto root, os::open("/", O_PATH | O_DIRECTORY));
  return identity_in_root(root, user);
}

Result<void> prepare(const RunCommand& command, const Identity& identity) {
  umask(022);
  SHEAF_TRY(set_limits(command.limits, STDERR_FILENO));
  if (!command.is_privileged) {
    SHEAF_TRY(drop_capabilities());
    // Before the change of user: without no_new_privs only a privileged process may install a filter, and sudo inside
    // must stay possible.
    SHEAF_TRY(install_seccomp_filter());
  }
  SHEAF_TRY(change_user(identity));
  if (!command.is_privileged) {
    SHEAF_TRY(limit_to_container_set());
  }
  if (chdir(command.directory.c_str()) != 0) {
    return Error::from_errno(errno, fmt::format("entering directory '{}'", command.directory));
  }
  return {};
}

} // namespace

Result<Identity> resolve_user(std::string_view user, std::string_view passwd, std::string_view group) {
  const auto colon = user.find(':');
  const auto name = user.substr(0, colon);
  Identity identity;
  const auto number = to_number<unsigned>(name);
  const auto by_name = find_line(passwd, 7, 0, name.empty() ? "root" : name);
  if (by_name) {
    SHEAF_TRY_ASSIGN(identity, from_passwd(*by_name));
  } else if (number) {
    identity.uid = *number;
    identity.name = std::string(name);
    if (const auto by_id = find_line(passwd, 7, 2, name)) {
      SHEAF_TRY_ASSIGN(identity, from_passwd(*by_id));
    }
  } else if (!name.empty()) {
    return Error(ErrorCode::not_found, fmt::format("user '{}' is not in /etc/passwd", name));
  }
  if (colon != std::string_view::npos) {
    const auto wanted = user.substr(colon + 1);
    const auto line = find_line(group, 3, 0, wanted);
    const auto gid = line ? to_number<unsigned>((*line)[2]) : to_number<unsigned>(wanted);
    if (!gid) {
      return Error(ErrorCode::not_found, fmt::format("group '{}' is not in /etc/group", wanted));
    }
    identity.gid = *gid;
    return identity;
  }
  identity.groups = supplementary_groups(group, identity.name);
  return identity;
}

Result<Identity> identity_in_root(const os::Fd& root, const std::string& user) {
  SHEAF_TRY_ASSIGN(const auto passwd, text_of(root, "/etc/passwd"));
  SHEAF_TRY_ASSIGN(const auto group, text_of(root, "/etc/group"));
  return resolve_user(user, passwd, group);
}

Result<Owner> owner_in_root(const os::Fd& root, const std::string& text) {
  if (const auto number = to_number<unsigned>(text)) {
    return Owner{*number, *number};
  }
  SHEAF_TRY_ASSIGN(const auto identity, identity_in_root(root, text.empty() ? "0:0" : text));
  return Owner{identity.uid, identity.gid};
}

StartFailure become_command(const RunCommand& command) {
  auto identity = identity_of(command.user);
  if (!identity) {
    return {std::move(identity).error(), std::nullopt};
  }
  if (auto ready = prepare(command, *identity); !ready) {
    return {std::move(ready).error(), std::nullopt};
  }
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE}) {
    signal(number, SIG_DFL);
  }
  // Whatever our own caller forgot to close is none of the command's business.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  return exec(command, complete_environment(command, *identity));
}

} // namespace sheaf::sandbox
