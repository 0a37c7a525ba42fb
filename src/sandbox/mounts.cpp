// SPDX-License-Identifier: Apache-2.0
#include "sandbox/mounts.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>

namespace sheaf::sandbox {
namespace {

using os::Fd;
using os::Recursive;

constexpr unsigned k_private = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

TargetKind kind_of(const struct stat& info) { return S_ISDIR(info.st_mode) ? TargetKind::directory : TargetKind::file; }

/// A clone of what `fd` is open at, which must be attached somewhere.
Result<Fd> clone_at(const Fd& fd) { return os::clone_tree(fmt::format("/proc/self/fd/{}", fd.get()), Recursive::yes); }

/// Attaches `mount` at `place` while `use` runs: before Linux 6.15 no part of a mount that is attached nowhere can be
/// cloned.
Result<void> while_attached(const Fd& mount, const std::string& place, const std::function<Result<void>()>& use) {
  SHEAF_TRY(os::attach(mount, place));
  auto result = use();
  if (umount2(place.c_str(), MNT_DETACH) != 0) {
    return Error::from_errno(errno, "detaching a mount");
  }
  return result;
}

struct Part {
  Fd mount;
  TargetKind kind = TargetKind::directory;
};

Result<Part> part_of(const Fd& root, const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd place, os::open_in_root(root, path, O_PATH));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(place));
  SHEAF_TRY_ASSIGN(auto mount, clone_at(place));
  return Part{std::move(mount), kind_of(info)};
}

/// The overlay of a tree's lowers.
Result<Fd> overlay_of(const TreeMount& tree, const Fd& owners, const std::string& scratch) {
  auto lowers = tree.lowers;
  const auto mount = [&] { return os::mount_overlay({lowers, tree.upper, tree.work, !tree.upper.empty()}); };
  if (!owners) {
    return mount();
  }
  SHEAF_TRY_ASSIGN(const Fd first, os::clone_tree(lowers[0], Recursive::no));
  if (!os::map_mount_owners(first, owners)) { // not every file system can
    return mount();
  }
  lowers[0] = scratch;
  Fd overlay;
  const auto done = while_attached(first, scratch, [&]() -> Result<void> {
    SHEAF_TRY_ASSIGN(overlay, mount());
    return {};
  });
  SHEAF_TRY(done);
  return overlay;
}

Result<Part> whole_tree(const TreeMount& tree, const Fd& owners, const std::string& scratch) {
  if (tree.lowers.empty()) {
    SHEAF_TRY_ASSIGN(auto mount, os::mount_file_system("tmpfs", {{"mode", "755"}}, k_private));
    return Part{std::move(mount)};
  }
  SHEAF_TRY_ASSIGN(auto mount, overlay_of(tree, owners, scratch));
  return Part{std::move(mount)};
}

Result<Part> part_of_tree(const TreeMount& tree, const Fd& owners, const std::string& scratch) {
  if (tree.lowers.size() == 1 && tree.upper.empty()) {
    SHEAF_TRY_ASSIGN(const Fd root, os::open(tree.lowers[0], O_PATH | O_DIRECTORY));
    SHEAF_TRY_ASSIGN(auto part, part_of(root, tree.path));
    if (owners) {
      ignore(os::map_mount_owners(part.mount, owners), "showing files as root's"); // not every file system can
    }
    return part;
  }
  SHEAF_TRY_ASSIGN(auto whole, whole_tree(tree, owners, scratch));
  if (tree.path == "/" || tree.path.empty()) {
    return whole;
  }
  Part part;
  const auto done = while_attached(whole.mount, scratch, [&]() -> Result<void> {
    SHEAF_TRY_ASSIGN(const Fd root, os::open(scratch, O_PATH | O_DIRECTORY));
    SHEAF_TRY_ASSIGN(part, part_of(root, tree.path));
    return {};
  });
  SHEAF_TRY(done);
  return part;
}

Result<void> mount_tree(MountPoints& points, const TreeMount& tree, const Fd& owners, const std::string& scratch) {
  const auto doing = fmt::format("mounting '{}' of a tree at '{}'", tree.path, tree.target);
  SHEAF_TRY_ASSIGN(const auto part, part_of_tree(tree, owners, scratch).context(doing));
  const auto attributes = MOUNT_ATTR_NODEV | (tree.upper.empty() ? MOUNT_ATTR_RDONLY : 0UL);
  SHEAF_TRY(os::set_mount_attributes(part.mount, attributes, Recursive::yes).context(doing));
  return points.attach(part.mount, tree.target, part.kind).context(doing);
}

Result<void> mount_cache(MountPoints& points, const OverlayMount& cache) {
  const auto doing = fmt::format("mounting a cache at '{}'", cache.target);
  SHEAF_TRY_ASSIGN(const Fd mount, os::mount_overlay({{cache.shared}, cache.upper, cache.work, true}).context(doing));
  return points.attach(mount, cache.target, TargetKind::directory).context(doing);
}

/// A directory that was there gives its permissions, as with runc.
Result<void> mount_memory(MountPoints& points, const TmpfsMount& memory) {
  const auto target = os::open_in_root(points.root(), memory.target, O_PATH | O_DIRECTORY);
  const auto info = target ? os::stat_of(*target) : Result<struct stat>(target.error());
  std::vector<std::pair<std::string, std::string>> options = {
      {"mode", info ? fmt::format("{:o}", info->st_mode & 07777U) : std::string("1777")}};
  if (memory.size) {
    options.emplace_back("size", std::to_string(*memory.size));
  }
  return mount_new(points, "tmpfs", memory.target, options, k_private)
      .context(fmt::format("mounting memory at '{}'", memory.target));
}

Result<void> write_secret(const Fd& folder, const std::string& name, const SecretFile& secret) {
  SHEAF_TRY_ASSIGN(const Fd file, os::open_at(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  SHEAF_TRY(os::write_all(file, secret.content));
  if (fchown(file.get(), secret.uid, secret.gid) != 0 || fchmod(file.get(), secret.mode) != 0) {
    return Error::from_errno(errno, "setting owner and permissions");
  }
  return {};
}

/// Every secret is a file of one file system in memory that is attached nowhere: only the files themselves can be seen.
Result<std::vector<Fd>> secret_mounts(const std::vector<SecretFile>& secrets, const std::string& scratch) {
  std::vector<Fd> mounts;
  if (secrets.empty()) {
    return mounts;
  }
  SHEAF_TRY_ASSIGN(const Fd memory, os::mount_file_system("tmpfs", {{"mode", "700"}}, k_private));
  const auto done = while_attached(memory, scratch, [&]() -> Result<void> {
    SHEAF_TRY_ASSIGN(const Fd folder, os::open(scratch, O_RDONLY | O_DIRECTORY));
    for (const auto& secret : secrets) {
      const auto doing = fmt::format("making '{}'", secret.target);
      const auto name = std::to_string(mounts.size());
      SHEAF_TRY(write_secret(folder, name, secret).context(doing));
      SHEAF_TRY_ASSIGN(auto part, part_of(folder, name).context(doing));
      SHEAF_TRY(os::set_mount_attributes(part.mount, k_private | MOUNT_ATTR_RDONLY, Recursive::no).context(doing));
      mounts.push_back(std::move(part.mount));
    }
    return {};
  });
  SHEAF_TRY(done);
  return mounts;
}

} // namespace

Result<void> mount_bind(MountPoints& points, const BindMount& bind, const Fd& owners) {
  const auto doing = fmt::format("mounting '{}' at '{}'", bind.source, bind.target);
  // With what is mounted below it: the kernel does not let a part of another user namespace's mounts be shown.
  SHEAF_TRY_ASSIGN(const Fd mount, os::clone_tree(bind.source, Recursive::yes).context(doing));
  if (owners) {
    SHEAF_TRY(os::map_mount_owners(mount, owners).context(doing));
  }
  const auto attributes = MOUNT_ATTR_NODEV | (bind.access == Access::read_only ? MOUNT_ATTR_RDONLY : 0UL);
  SHEAF_TRY(os::set_mount_attributes(mount, attributes, Recursive::yes).context(doing));
  const auto kind = os::is_directory(bind.source) ? TargetKind::directory : TargetKind::file;
  return points.attach(mount, bind.target, kind).context(doing);
}

Result<void> mount_device(MountPoints& points, const std::string& path) {
  const auto doing = fmt::format("mounting '{}'", path);
  SHEAF_TRY_ASSIGN(const Fd mount, os::clone_tree(path, Recursive::yes).context(doing));
  return points.attach(mount, path, TargetKind::file).context(doing);
}

Result<void> mount_new(MountPoints& points, const std::string& type, const std::string& target,
                       const std::vector<std::pair<std::string, std::string>>& options, unsigned attributes) {
  SHEAF_TRY_ASSIGN(const Fd mount, os::mount_file_system(type, options, attributes));
  return points.attach(mount, target, TargetKind::directory);
}

Result<void> mount_all(MountPoints& points, const SandboxSpec& spec, const std::vector<Fd>& owners) {
  SHEAF_TRY_ASSIGN(const auto secrets, secret_mounts(spec.secrets, spec.mount_point));
  std::vector<std::pair<std::string, std::function<Result<void>()>>> mounts;
  for (const auto& cache : spec.overlays) {
    mounts.emplace_back(cache.target, [&] { return mount_cache(points, cache); });
  }
  for (std::size_t i = 0; i < spec.binds.size(); ++i) {
    mounts.emplace_back(spec.binds[i].target, [&, i] { return mount_bind(points, spec.binds[i], owners[i]); });
  }
  for (std::size_t i = 0; i < spec.trees.size(); ++i) {
    mounts.emplace_back(spec.trees[i].target, [&, i] {
      return mount_tree(points, spec.trees[i], owners[spec.binds.size() + i], spec.mount_point);
    });
  }
  for (const auto& memory : spec.memory) {
    mounts.emplace_back(memory.target, [&] { return mount_memory(points, memory); });
  }
  for (std::size_t i = 0; i < spec.secrets.size(); ++i) {
    const auto& target = spec.secrets[i].target;
    mounts.emplace_back(target, [&, i] {
      return points.attach(secrets[i], target, TargetKind::file).context(fmt::format("mounting '{}'", target));
    });
  }
  // A directory sorts before all that is in it. Source: BuildKit sorts the mounts of a step in the same way.
  std::ranges::stable_sort(mounts, {}, [](const auto& mount) { return mount.first; });
  for (const auto& [target, mount] : mounts) {
    SHEAF_TRY(mount());
  }
  return {};
}

} // namespace sheaf::sandbox
