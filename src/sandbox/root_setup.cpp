// SPDX-License-Identifier: Apache-2.0
#include "sandbox/root_setup.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/namespaces.hpp"
#include "sandbox/mounts.hpp"
#include "sandbox/process_setup.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sheaf::sandbox {
namespace {

using os::Fd;
using os::Recursive;

Result<void> mount_devices(MountPoints& points, std::uint64_t shared_memory) {
  SHEAF_TRY(
      mount_new(points, "tmpfs", "/dev", {{"mode", "755"}, {"size", "65536k"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  for (const auto* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    SHEAF_TRY(mount_device(points, fmt::format("/dev/{}", name)));
  }
  SHEAF_TRY(mount_new(points, "devpts", "/dev/pts",
                      {{"newinstance", ""}, {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}},
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  SHEAF_TRY(mount_new(points, "tmpfs", "/dev/shm", {{"mode", "1777"}, {"size", std::to_string(shared_memory)}},
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  SHEAF_TRY_ASSIGN(const Fd dev, os::open_in_root(points.root(), "/dev", O_RDONLY | O_DIRECTORY));
  constexpr std::array<std::pair<const char*, const char*>, 5> k_links = {{{"/proc/self/fd", "fd"},
                                                                           {"/proc/self/fd/0", "stdin"},
                                                                           {"/proc/self/fd/1", "stdout"},
                                                                           {"/proc/self/fd/2", "stderr"},
                                                                           {"pts/ptmx", "ptmx"}}};
  for (const auto& [target, name] : k_links) {
    if (symlinkat(target, dev.get(), name) != 0) {
      return Error::from_errno(errno, fmt::format("creating '/dev/{}'", name));
    }
  }
  return {};
}

/// Makes what must not be read look empty, and what must not be written read-only. Absent paths are no loss.
Result<void> protect_proc(MountPoints& points) {
  const auto& root = points.root();
  for (const auto* path : {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats"}) {
    if (os::open_in_root(root, path, O_PATH)) {
      SHEAF_TRY(mount_bind(points, {"/dev/null", path, Access::read_only, false}));
    }
  }
  for (const auto* path : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"}) {
    const auto target = os::open_in_root(root, path, O_PATH);
    if (!target) {
      continue;
    }
    SHEAF_TRY_ASSIGN(const Fd mount, os::clone_tree(fmt::format("/proc/self/fd/{}", target->get()), Recursive::no));
    SHEAF_TRY(os::set_mount_attributes(mount, MOUNT_ATTR_RDONLY, Recursive::no));
    SHEAF_TRY(os::attach_in_root(mount, root, path));
  }
  return {};
}

enum class Protect { no, yes };

/// Commands with all privileges see /proc as it is.
Protect protection_of(const SandboxSpec& spec) {
  const auto* commands = std::get_if<std::vector<RunCommand>>(&spec.action);
  const bool any = commands != nullptr && std::ranges::any_of(*commands, &RunCommand::is_privileged);
  return any ? Protect::no : Protect::yes;
}

/// A sysfs shows the network interfaces of the namespace it was mounted in, so who has a network of its own gets one of
/// its own, where the kernel allows that. The host's, read-only, shows no more to the others.
Result<Fd> sysfs_for(Network network) {
  if (network == Network::none) {
    auto own = os::mount_file_system("sysfs", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (own) {
      return own;
    }
  }
  return os::clone_tree("/sys", Recursive::yes);
}

Result<void> mount_kernel_views(MountPoints& points, Protect protect, Network network) {
  SHEAF_TRY(mount_new(points, "proc", "/proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (protect == Protect::yes) {
    SHEAF_TRY(protect_proc(points));
  }
  SHEAF_TRY_ASSIGN(const Fd sys, sysfs_for(network));
  SHEAF_TRY(os::set_mount_attributes(sys, MOUNT_ATTR_RDONLY, Recursive::yes));
  return points.attach(sys, "/sys", TargetKind::directory);
}

Result<void> write_new(MountPoints& points, const NewFile& file) {
  const auto doing = fmt::format("making '{}'", file.path);
  const auto slash = file.path.rfind('/');
  const auto parent = slash == 0 ? std::string("/") : file.path.substr(0, slash);
  SHEAF_TRY(points.ensure(parent, TargetKind::directory).context(doing));
  SHEAF_TRY_ASSIGN(const Fd folder, os::open_in_root(points.root(), parent, O_PATH | O_DIRECTORY).context(doing));
  constexpr int k_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const auto fd = os::open_at(folder, file.path.substr(slash + 1), k_flags, file.mode);
  if (!fd) {
    struct stat info {};
    const bool is_there = fstatat(folder.get(), file.path.c_str() + slash + 1, &info, AT_SYMLINK_NOFOLLOW) == 0;
    return is_there ? Result<void>() : Error(fd.error()).with_context(doing);
  }
  if (fchmod(fd->get(), file.mode) != 0) { // whatever the caller's umask says
    return Error::from_errno(errno, doing);
  }
  return os::write_all(*fd, file.content).context(doing);
}

/// Only what is made gets the owner; "." and ".." mean what they mean to the kernel.
Result<void> make_owned(const Fd& root, const std::string& path, const Owner& owner) {
  const auto there = os::open_in_root(root, path, O_PATH);
  if (there) {
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(*there));
    return S_ISDIR(info.st_mode) ? Result<void>()
                                 : Error(ErrorCode::invalid, fmt::format("'{}' is there and is no directory", path));
  }
  const auto slash = path.rfind('/');
  const auto parent = slash == 0 || slash == std::string::npos ? std::string("/") : path.substr(0, slash);
  SHEAF_TRY(make_owned(root, parent, owner));
  SHEAF_TRY_ASSIGN(const Fd folder, os::open_in_root(root, parent, O_PATH | O_DIRECTORY));
  const auto name = path.substr(slash + 1);
  if (name.empty()) {
    return {};
  }
  if (mkdirat(folder.get(), name.c_str(), 0755) != 0 ||
      fchownat(folder.get(), name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("creating directory '{}'", path));
  }
  return {};
}

/// The map by which the owner of `path` and the id `to` change places; empty if they are the same.
Result<Fd> map_of(const std::string& path, unsigned to) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return Error::from_errno(errno, fmt::format("looking at '{}'", path));
  }
  return info.st_uid == to && info.st_gid == to ? Result<Fd>(Fd())
                                                : os::swapped_user_namespace(info.st_uid, info.st_gid, to);
}

Result<void> pivot(const std::string& new_root) {
  if (chdir(new_root.c_str()) != 0) {
    return Error::from_errno(errno, "entering the new root");
  }
  // pivot_root(".", ".") stacks the old root on the new one, so that no directory for it is needed: pivot_root(2).
  if (syscall(SYS_pivot_root, ".", ".") != 0) {
    return Error::from_errno(errno, "pivoting into the new root");
  }
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    return Error::from_errno(errno, "leaving the old root");
  }
  return {};
}

} // namespace

Result<std::vector<Fd>> owner_maps(const SandboxSpec& spec) {
  std::vector<Fd> maps;
  for (const auto& bind : spec.binds) {
    auto map = bind.owned_by_dev ? map_of(bind.source, os::k_caller_id) : Result<Fd>(Fd());
    SHEAF_TRY_ASSIGN(auto fd, std::move(map));
    maps.push_back(std::move(fd));
  }
  for (const auto& tree : spec.trees) {
    const bool wanted = tree.owned_by_root && !tree.lowers.empty() && os::in_initial_user_namespace();
    auto map = wanted ? map_of(tree.lowers[0], 0) : Result<Fd>(Fd());
    maps.push_back(map ? std::move(*map) : Fd()); // it shows other owners then, no more
  }
  return maps;
}

Result<void> mount_root(const SandboxSpec& spec) {
  SHEAF_TRY_ASSIGN(const Fd mount, os::mount_overlay({spec.lowers, spec.upper, spec.work, spec.is_volatile}));
  return os::attach(mount, spec.mount_point);
}

Result<MountPoints> finish_root(const SandboxSpec& spec, const std::vector<Fd>& owners) {
  SHEAF_TRY_ASSIGN(auto points, MountPoints::create(spec.mount_point, spec.upper));
  SHEAF_TRY(mount_kernel_views(points, protection_of(spec), spec.network).context("setting up '/proc' and '/sys'"));
  SHEAF_TRY(mount_devices(points, spec.shared_memory).context("setting up '/dev'"));
  if (spec.keeps_kernel_folders) {
    points.keep();
  }
  SHEAF_TRY(mount_all(points, spec, owners));
  for (const auto& file : spec.files) {
    SHEAF_TRY(write_new(points, file));
  }
  SHEAF_TRY(points.release_root());
  SHEAF_TRY(pivot(spec.mount_point));
  if (sethostname(spec.hostname.data(), spec.hostname.size()) != 0) {
    return Error::from_errno(errno, "setting the host name");
  }
  return points;
}

Result<void> make_directory_in_root(const std::string& path, const std::string& root, const std::string& owner) {
  SHEAF_TRY_ASSIGN(const Fd fd, os::open(root, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(const auto wanted, owner_in_root(fd, owner));
  return make_owned(fd, path, wanted);
}

} // namespace sheaf::sandbox
