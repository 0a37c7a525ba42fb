// SPDX-License-Identifier: Apache-2.0
#include "os/namespaces.hpp"

#include "base/kept_back.hpp"
#include "base/text.hpp"
#include "os/as_caller.hpp"
#include "os/file.hpp"
#include "os/parent_death.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <vector>

namespace sheaf::os {
namespace {

constexpr std::uint32_t k_all_ids = 4'294'967'295U;

/// unshare(2) lets only a process of one thread have another user namespace, and the kernel takes a moment to forget a
/// thread that was joined. 0, or errno.
int unshare_alone(int flags) {
  constexpr int k_tries = 200;
  constexpr useconds_t k_pause = 500;
  for (int i = 0; i < k_tries; ++i) {
    if (unshare(flags) == 0) {
      return 0;
    }
    if (errno != EINVAL) {
      return errno;
    }
    usleep(k_pause);
  }
  return EINVAL;
}

std::string user_name(std::uint32_t uid) {
  const auto* entry = getpwuid(uid);
  return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

Error missing_sub_ids(const std::string& file, const std::string& user) {
  return Error(ErrorCode::unsupported,
               fmt::format("user '{}' has no range of {} ids in '{}'", user, k_needed_sub_ids + 1, file))
      .with_hint(fmt::format("as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}; "
                             "'sheaf doctor' checks the rest",
                             user));
}

Result<SubIdRange> range_of(const std::string& file, const std::string& user, std::uint32_t uid) {
  SHEAF_TRY_ASSIGN(const auto text, read_file_if_exists(file));
  const auto range = largest_range(text.value_or(""), user, uid);
  if (!range || range->count < k_needed_sub_ids) {
    return missing_sub_ids(file, user);
  }
  return *range;
}

/// Arguments of newuidmap(1): 0…999 and 1001… from the range, 1000 is the caller.
std::vector<std::string> map_arguments(const std::string& tool, pid_t pid, const SubIdRange& range, std::uint32_t own) {
  const auto text = [](std::uint32_t id) { return std::to_string(id); };
  const std::uint32_t rest = std::min(range.count - k_caller_id, k_needed_sub_ids - k_caller_id);
  return {tool,
          std::to_string(pid),
          "0",
          text(range.first),
          text(k_caller_id),
          text(k_caller_id),
          text(own),
          "1",
          text(k_caller_id + 1),
          text(range.first + k_caller_id),
          text(rest)};
}

[[noreturn]] void exec_tool(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const auto& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  _exit(errno == ENOENT ? 127 : 126);
}

/// Runs `words` and says whether it exited with 0. Only for a single-threaded process.
int run_tool(const std::vector<std::string>& words) {
  const pid_t child = fork();
  if (child == 0) {
    exec_tool(words);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0) {
    return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// In the helper that stayed in the old namespace: waits for the go, then writes the maps of `pid`.
[[noreturn]] void write_maps(const Fd& go, const std::vector<std::string>& uid_words,
                             const std::vector<std::string>& gid_words) {
  char byte = 0;
  if (::read(go.get(), &byte, 1) != 1) {
    _exit(125);
  }
  if (const int status = run_tool(uid_words); status != 0) {
    _exit(status > 0 ? status : 124);
  }
  const int status = run_tool(gid_words);
  _exit(status >= 0 ? status : 124);
}

Error no_user_namespace(int number) {
  return Error::from_errno(number, "creating a user namespace")
      .with_code(ErrorCode::unsupported)
      .with_hint("unprivileged user namespaces are off on this machine (sysctl user.max_user_namespaces, "
                 "kernel.apparmor_restrict_unprivileged_userns); 'sheaf doctor' says more");
}

Result<void> become_root() {
  if (setgroups(0, nullptr) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) {
    return Error::from_errno(errno, "becoming root of the user namespace");
  }
  // Changing ids makes a process undumpable, and /proc/self/fd then belongs to nobody.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  return {};
}

std::string swap_map(unsigned from, unsigned to) {
  if (from == to) {
    return fmt::format("0 0 {}\n", k_all_ids);
  }
  const unsigned low = std::min(from, to);
  const unsigned high = std::max(from, to);
  std::string map;
  const auto extent = [&map](unsigned inside, unsigned outside, unsigned count) {
    if (count > 0) {
      map += fmt::format("{} {} {}\n", inside, outside, count);
    }
  };
  extent(0, 0, low);
  extent(low, high, 1);
  extent(low + 1, low + 1, high - low - 1);
  extent(high, low, 1);
  extent(high + 1, high + 1, k_all_ids - high - 1);
  return map;
}

} // namespace

std::optional<SubIdRange> largest_range(std::string_view text, std::string_view user, std::uint32_t uid) {
  std::optional<SubIdRange> best;
  for (const auto line : lines_of(text)) {
    const auto fields = split(trim(line), ':');
    if (fields.size() != 3 || (fields[0] != user && fields[0] != std::to_string(uid))) {
      continue;
    }
    const auto first = to_number<std::uint32_t>(fields[1]);
    const auto count = to_number<std::uint32_t>(fields[2]);
    if (first && count && (!best || *count > best->count)) {
      best = SubIdRange{*first, *count};
    }
  }
  return best;
}

namespace {

/// Of the process as it is now: it may enter another one. Asked again as long as descriptors or memory are lacking:
/// whoever took "cannot tell" for an answer would give files to the wrong owner.
Result<std::string> uid_map() {
  constexpr int k_most_tries = 20;
  constexpr useconds_t k_pause_us = 1000;
  for (int tries = 0;; ++tries) {
    auto map = read_file("/proc/self/uid_map");
    if (map || !is_kept_back(map.error()) || tries == k_most_tries) {
      return map;
    }
    usleep(k_pause_us);
  }
}

/// Of uid_map(5): the first id inside, the first outside, how many.
using Extent = std::array<std::uint32_t, 3>;

std::vector<Extent> extents_in(std::string_view map) {
  std::vector<Extent> extents;
  for (const auto line : lines_of(map)) {
    Extent extent{};
    std::size_t count = 0;
    for (const auto word : split(trim(line), ' ')) {
      if (!word.empty() && count < extent.size()) {
        extent.at(count++) = to_number<std::uint32_t>(word).value_or(0);
      }
    }
    extents.push_back(extent);
  }
  return extents;
}

} // namespace

bool in_initial_user_namespace() {
  const auto map = uid_map();
  return !map || extents_in(*map) == std::vector<Extent>{{0, 0, k_all_ids}};
}

bool is_caller_mapped() {
  const auto map = uid_map();
  const auto extents = map ? extents_in(*map) : std::vector<Extent>();
  return std::ranges::any_of(extents, [](const auto& each) { return each[0] == k_caller_id && each[2] == 1; });
}

std::uint32_t effective_uid() { return geteuid(); }
std::uint32_t effective_gid() { return getegid(); }

pid_t fork_alone() { return _Fork(); }

Result<void> enter_user_namespace(OwnMounts mounts) {
  const auto uid = getuid();
  const auto gid = getgid();
  const auto user = user_name(uid);
  SHEAF_TRY_ASSIGN(const auto uids, range_of("/etc/subuid", user, uid));
  SHEAF_TRY_ASSIGN(const auto gids, range_of("/etc/subgid", user, uid));
  SHEAF_TRY_ASSIGN(Pipe go, Pipe::create());
  const pid_t self = getpid();
  const auto uid_words = map_arguments("newuidmap", self, uids, uid);
  const auto gid_words = map_arguments("newgidmap", self, gids, gid);
  const pid_t helper = fork();
  if (helper < 0) {
    return Error::from_errno(errno, "starting newuidmap");
  }
  if (helper == 0) {
    (void)go.write.close();
    write_maps(go.read, uid_words, gid_words);
  }
  if (const int number = unshare_alone(CLONE_NEWUSER | (mounts == OwnMounts::yes ? CLONE_NEWNS : 0))) {
    kill(helper, SIGKILL);
    waitpid(helper, nullptr, 0);
    return no_user_namespace(number);
  }
  SHEAF_TRY(write_all(go.write, "x"));
  int status = 0;
  waitpid(helper, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const bool absent = WIFEXITED(status) && WEXITSTATUS(status) == 127;
    return Error(ErrorCode::unsupported, absent
                                             ? "'newuidmap' is not installed"
                                             : "newuidmap did not accept the ranges of '/etc/subuid' and '/etc/subgid'")
        .with_hint(absent ? "install the package 'uidmap'" : "'sheaf doctor' checks the ranges and the tools");
  }
  return become_root();
}

Result<void> probe_user_namespace() {
  const pid_t child = fork_alone();
  if (child < 0) {
    return Error::from_errno(errno, "starting a probe");
  }
  if (child == 0) {
    _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : errno);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return no_user_namespace(WIFEXITED(status) ? WEXITSTATUS(status) : EINVAL);
  }
  return {};
}

Result<Fd> swapped_user_namespace(unsigned from_uid, unsigned from_gid, unsigned to) {
  SHEAF_TRY_ASSIGN(Pipe ready, Pipe::create());
  const pid_t self = getpid();
  const pid_t child = fork_alone();
  if (child < 0) {
    return Error::from_errno(errno, "starting a helper for an ID map");
  }
  if (child == 0) {
    die_with_parent(self);
    const char answer = unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
    [[maybe_unused]] const auto written = ::write(ready.write.get(), &answer, 1);
    for (;;) {
      pause();
    }
  }
  const auto finish = [child](Result<Fd> result) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return result;
  };
  char answer = 'n';
  if (::read(ready.read.get(), &answer, 1) != 1 || answer != 'y') {
    return finish(Error(ErrorCode::unsupported, "creating a user namespace for an ID map failed"));
  }
  for (const auto& [file, map] :
       std::map<std::string, std::string>{{"uid_map", swap_map(from_uid, to)}, {"gid_map", swap_map(from_gid, to)}}) {
    auto fd = open(fmt::format("/proc/{}/{}", child, file), O_WRONLY);
    if (!fd || !write_all(*fd, map)) {
      return finish(Error(ErrorCode::unsupported, fmt::format("writing {} of an ID map failed", file)));
    }
  }
  return finish(open(fmt::format("/proc/{}/ns/user", child), O_RDONLY));
}

Result<void> give_to_caller(const std::string& path) {
  struct stat info {};
  if (!is_caller_mapped()) {
    return {};
  }
  if (or_as_caller([&] { return lstat(path.c_str(), &info); }) != 0 ||
      (info.st_uid == 0 && lchown(path.c_str(), k_caller_id, k_caller_id) != 0)) {
    return Error::from_errno(errno, fmt::format("giving '{}' to the caller", path));
  }
  return {};
}

Result<void> give_to_caller(const Fd& file) {
  if (!is_caller_mapped()) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto info, stat_of(file));
  if (info.st_uid == 0 && fchown(file.get(), k_caller_id, k_caller_id) != 0) {
    return Error::from_errno(errno, "giving a file to the caller");
  }
  return {};
}

} // namespace sheaf::os
