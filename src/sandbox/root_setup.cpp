// SPDX-License-Identifier: Apache-2.0
#include "sandbox/root_setup.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::sandbox {
namespace {

using os::Fd;
using os::Recursive;

/// Creates the last component of `path` below `root` as a file or directory if nothing is there.
Result<void> ensure_target(const Fd& root, const std::string& path, bool directory) {
  if (os::open_in_root(root, path, O_PATH)) {
    return {};
  }
  const auto slash = path.rfind('/');
  const auto parent = slash == 0 || slash == std::string::npos ? std::string("/") : path.substr(0, slash);
  SHEAF_TRY(ensure_target(root, parent, true));
  SHEAF_TRY_ASSIGN(const Fd folder, os::open_in_root(root, parent, O_PATH | O_DIRECTORY));
  const auto name = path.substr(slash + 1);
  if (directory) {
    if (mkdirat(folder.get(), name.c_str(), 0755) != 0) {
      return errno == EEXIST ? Result<void>() : Error::from_errno(errno, fmt::format("creating directory '{}'", path));
    }
    // Below somebody's home it is theirs, or they could not use what else belongs there.
    SHEAF_TRY_ASSIGN(const auto owner, os::stat_of(folder));
    if (fchownat(folder.get(), name.c_str(), owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, fmt::format("setting the owner of '{}'", path));
    }
    return {};
  }
  SHEAF_TRY(os::open_at(folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
  return {};
}

Result<void> mount_bind(const Fd& root, const BindMount& bind, const Fd& owners = Fd()) {
  const auto doing = fmt::format("mounting '{}' at '{}'", bind.source, bind.target);
  // With what is mounted below it: the kernel does not let a part of another user namespace's mounts be shown.
  SHEAF_TRY_ASSIGN(const Fd mount, os::clone_tree(bind.source, Recursive::yes).context(doing));
  if (owners) {
    SHEAF_TRY(os::map_mount_owners(mount, owners).context(doing));
  }
  const bool is_device = bind.source.starts_with("/dev/");
  const auto attributes =
      (bind.access == Access::read_only ? MOUNT_ATTR_RDONLY : 0UL) | (is_device ? 0UL : MOUNT_ATTR_NODEV);
  if (attributes != 0) {
    SHEAF_TRY(os::set_mount_attributes(mount, attributes, Recursive::yes).context(doing));
  }
  SHEAF_TRY(ensure_target(root, bind.target, os::is_directory(bind.source)).context(doing));
  return os::attach_in_root(mount, root, bind.target).context(doing);
}

Result<void> mount_cache(const Fd& root, const OverlayMount& cache) {
  const auto doing = fmt::format("mounting a cache at '{}'", cache.target);
  SHEAF_TRY_ASSIGN(const Fd mount, os::mount_overlay({{cache.shared}, cache.upper, cache.work, true}).context(doing));
  SHEAF_TRY(ensure_target(root, cache.target, true).context(doing));
  return os::attach_in_root(mount, root, cache.target).context(doing);
}

Result<void> mount_new(const Fd& root, const std::string& type, const std::string& target,
                       const std::vector<std::pair<std::string, std::string>>& options, unsigned attributes) {
  SHEAF_TRY_ASSIGN(const Fd mount, os::mount_file_system(type, options, attributes));
  SHEAF_TRY(ensure_target(root, target, true));
  return os::attach_in_root(mount, root, target);
}

Result<void> mount_devices(const Fd& root) {
  SHEAF_TRY(
      mount_new(root, "tmpfs", "/dev", {{"mode", "755"}, {"size", "65536k"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  for (const auto* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    SHEAF_TRY(
        mount_bind(root, {fmt::format("/dev/{}", name), fmt::format("/dev/{}", name), Access::read_write, false}));
  }
  SHEAF_TRY(mount_new(root, "devpts", "/dev/pts",
                      {{"newinstance", ""}, {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}},
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  SHEAF_TRY(mount_new(root, "tmpfs", "/dev/shm", {{"mode", "1777"}, {"size", "65536k"}},
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  SHEAF_TRY_ASSIGN(const Fd dev, os::open_in_root(root, "/dev", O_RDONLY | O_DIRECTORY));
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
Result<void> protect_proc(const Fd& root) {
  for (const auto* path : {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats"}) {
    if (os::open_in_root(root, path, O_PATH)) {
      SHEAF_TRY(mount_bind(root, {"/dev/null", path, Access::read_only, false}));
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

Result<void> mount_kernel_views(const Fd& root) {
  SHEAF_TRY(mount_new(root, "proc", "/proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  SHEAF_TRY(protect_proc(root));
  // A sysfs of our own would need a network namespace of our own; the host's, read-only, shows no more.
  SHEAF_TRY_ASSIGN(const Fd sys, os::clone_tree("/sys", Recursive::yes));
  SHEAF_TRY(os::set_mount_attributes(sys, MOUNT_ATTR_RDONLY, Recursive::yes));
  SHEAF_TRY(ensure_target(root, "/sys", true));
  return os::attach_in_root(sys, root, "/sys");
}

Result<void> write_new(const Fd& root, const NewFile& file) {
  const auto doing = fmt::format("making '{}'", file.path);
  const auto slash = file.path.rfind('/');
  const auto parent = slash == 0 ? std::string("/") : file.path.substr(0, slash);
  SHEAF_TRY(ensure_target(root, parent, true).context(doing));
  SHEAF_TRY_ASSIGN(const Fd folder, os::open_in_root(root, parent, O_PATH | O_DIRECTORY).context(doing));
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
    struct stat info {};
    if (!bind.owned_by_dev) {
      maps.emplace_back();
      continue;
    }
    if (stat(bind.source.c_str(), &info) != 0) {
      return Error::from_errno(errno, fmt::format("looking at '{}'", bind.source));
    }
    SHEAF_TRY_ASSIGN(auto map, os::swapped_user_namespace(info.st_uid, info.st_gid, os::k_caller_id));
    maps.push_back(std::move(map));
  }
  return maps;
}

Result<void> mount_root(const SandboxSpec& spec) {
  SHEAF_TRY_ASSIGN(const Fd mount, os::mount_overlay({spec.lowers, spec.upper, spec.work, spec.is_volatile}));
  return os::attach(mount, spec.mount_point);
}

Result<void> finish_root(const SandboxSpec& spec, const std::vector<Fd>& owners) {
  SHEAF_TRY_ASSIGN(Fd root, os::open(spec.mount_point, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY(mount_kernel_views(root).context("setting up '/proc' and '/sys'"));
  SHEAF_TRY(mount_devices(root).context("setting up '/dev'"));
  for (const auto& cache : spec.overlays) {
    SHEAF_TRY(mount_cache(root, cache));
  }
  for (std::size_t i = 0; i < spec.binds.size(); ++i) {
    SHEAF_TRY(mount_bind(root, spec.binds[i], owners[i]));
  }
  for (const auto& file : spec.files) {
    SHEAF_TRY(write_new(root, file));
  }
  SHEAF_TRY(root.close());
  SHEAF_TRY(pivot(spec.mount_point));
  if (sethostname(spec.hostname.data(), spec.hostname.size()) != 0) {
    return Error::from_errno(errno, "setting the host name");
  }
  return {};
}

Result<void> make_directory_in_root(const std::string& path, const std::string& root) {
  SHEAF_TRY_ASSIGN(const Fd fd, os::open(root, O_RDONLY | O_DIRECTORY));
  return ensure_target(fd, path, true);
}

} // namespace sheaf::sandbox
