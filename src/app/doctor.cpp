// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.hpp"

#include "app/deadline.hpp"
#include "base/text.hpp"
#include "net/http.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/namespaces.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>

#include <pwd.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>

namespace sheaf::app {
namespace {

constexpr std::uint64_t k_wanted_bytes = 5'000'000'000;
constexpr const char* k_archive = "http://deb.debian.org/debian/dists/bookworm/InRelease";

Check kernel() {
  utsname name{};
  uname(&name);
  int major = 0;
  int minor = 0;
  const bool read = std::sscanf(name.release, "%d.%d", &major, &minor) == 2; // NOLINT(cert-err34-c): two small numbers
  // 6.8 brought lowerdir+ for overlayfs; older kernels cannot mount many layers one by one.
  const bool enough = read && (major > 6 || (major == 6 && minor >= 8));
  return {"kernel", enough ? Health::good : Health::bad, name.release,
          enough ? "" : "Linux 6.8 or newer is needed, for overlayfs with 'lowerdir+'"};
}

Check who() {
  const auto uid = os::effective_uid();
  return {"user", Health::good, uid == 0 ? "root" : fmt::format("ordinary user (uid {})", uid), ""};
}

Check user_namespaces() {
  if (os::effective_uid() == 0) {
    return {"user namespaces", Health::good, "not needed by root", ""};
  }
  const auto probe = os::probe_user_namespace();
  return {"user namespaces", probe ? Health::good : Health::bad, probe ? "available" : probe.error().message(),
          probe ? "" : probe.error().hint()};
}

/// Ubuntu 23.10 and later: only programs with a profile of their own may make user namespaces that are of use.
Check apparmor() {
  const auto text = os::read_file_if_exists("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  const bool is_restricted = text && *text && (*text)->starts_with('1');
  if (!is_restricted || os::effective_uid() == 0) {
    return {"AppArmor", Health::good,
            is_restricted ? "restricts user namespaces, which root does not need" : "does not restrict user namespaces",
            ""};
  }
  const auto able = os::probe_user_namespace();
  return {"AppArmor", able ? Health::good : Health::bad,
          able ? "restricts user namespaces, but not those of sheaf" : "restricts user namespaces",
          able ? ""
               : "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, and the same line without "
                 "'sysctl -w' in a file of /etc/sysctl.d; or a profile for sheaf with 'userns,'"};
}

Check sub_ids(const std::string& file) {
  const auto name = "sub-ids in " + file;
  const auto uid = os::effective_uid();
  if (uid == 0) {
    return {name, Health::good, "not needed by root", ""};
  }
  const auto* entry = getpwuid(uid);
  const std::string user = entry != nullptr ? entry->pw_name : std::to_string(uid);
  const auto text = os::read_file_if_exists(file);
  const auto range = os::largest_range(text && *text ? **text : "", user, uid);
  if (range && range->count >= os::k_needed_sub_ids) {
    return {name, Health::good, fmt::format("{} ids from {}", range->count, range->first), ""};
  }
  return {name, Health::bad, range ? fmt::format("only {} ids", range->count) : fmt::format("none for '{}'", user),
          fmt::format("as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}", user)};
}

Check tool(const std::string& program, const std::string& package, const std::string& purpose) {
  const auto path = os::find_program(program);
  return {program, path ? Health::good : Health::bad, path.value_or("not installed"),
          path ? "" : fmt::format("apt-get install {} ({})", package, purpose)};
}

/// Tried for real, in a child process, because namespaces cannot be left again.
Check overlay(const std::string& folder) {
  const auto mounts = [&folder]() -> Result<void> {
    if (os::effective_uid() != 0) {
      SHEAF_TRY(os::enter_user_namespace(os::OwnMounts::yes));
    }
    SHEAF_TRY_ASSIGN(auto directory, os::TempDir::create(folder, "doctor-"));
    for (const auto* name : {"/a", "/b", "/upper", "/work"}) {
      SHEAF_TRY(os::make_directories(directory.path() + name));
    }
    const auto& path = directory.path();
    SHEAF_TRY(os::mount_overlay({{path + "/a", path + "/b"}, path + "/upper", path + "/work", true}));
    return {};
  };
  const auto pipe = os::Pipe::create();
  if (!pipe) {
    return {"overlayfs", Health::bad, pipe.error().summary(), ""};
  }
  const pid_t child = os::fork_alone();
  if (child == 0) {
    const auto result = mounts();
    if (!result) {
      ignore(os::write_all(pipe->write, result.error().summary()), "telling the parent");
    }
    _exit(result ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status == 0) {
    return {"overlayfs", Health::good, fmt::format("works in '{}'", folder), ""};
  }
  std::string reason(300, '\0');
  const auto got = ::read(pipe->read.get(), reason.data(), reason.size());
  reason.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return {"overlayfs", Health::bad, reason, "put the store on ext4, xfs or btrfs with --root or SHEAF_ROOT"};
}

Check disk(const std::string& folder) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0) {
    return {"disk", Health::bad, fmt::format("'{}' cannot be read", folder), "choose another place with --root"};
  }
  const auto free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  return {"disk", free >= k_wanted_bytes ? Health::good : Health::limited,
          fmt::format("{} free in '{}'", human_bytes(free), folder),
          free >= k_wanted_bytes ? "" : "a base and a few layers take about 2 GB"};
}

Check name_resolution() {
  const auto text = os::read_file_if_exists("/etc/resolv.conf");
  const bool good = text && *text && (*text)->find("nameserver") != std::string::npos;
  return {"name resolution", good ? Health::good : Health::limited,
          good ? "/etc/resolv.conf names a server" : "no nameserver in /etc/resolv.conf",
          good ? "" : "builds that download will fail until the host resolves names"};
}

/// One question to where packages come from, by way of the proxy that builds would use.
Check network() {
  constexpr auto k_patience = std::chrono::seconds(5);
  const Deadline deadline(k_patience, std::stop_token());
  const auto answer = net::version_of(k_archive, deadline.token());
  const auto why = answer ? "" : deadline.token().stop_requested() ? "no answer in 5 s" : answer.error().message();
  return {"network", answer ? Health::good : Health::limited,
          answer ? fmt::format("'{}' answers", k_archive) : fmt::format("'{}': {}", k_archive, why),
          answer ? "" : "what is built already can be used; behind a proxy set http_proxy and https_proxy"};
}

/// The store's folder, or the nearest parent of it that exists.
std::string existing_folder(std::string path) {
  while (path.size() > 1 && !os::is_directory(path)) {
    path = path.substr(0, path.find_last_of('/'));
  }
  return path.empty() ? "/" : path;
}

} // namespace

std::vector<Check> examine_machine(const std::string& store_root) {
  const auto folder = existing_folder(store_root);
  const auto writable = os::is_directory(store_root + "/tmp") ? store_root + "/tmp" : folder;
  return {kernel(),
          who(),
          user_namespaces(),
          apparmor(),
          sub_ids("/etc/subuid"),
          sub_ids("/etc/subgid"),
          tool("newuidmap", "uidmap", "ids of ordinary users"),
          tool("mmdebstrap", "mmdebstrap", "the base from Debian's packages"),
          overlay(writable),
          disk(folder),
          name_resolution(),
          network()};
}

} // namespace sheaf::app
