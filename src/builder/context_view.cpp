// SPDX-License-Identifier: Apache-2.0
#include "builder/context_view.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace sheaf::builder {
namespace {

enum class Shown { nothing, something };

class Hider {
public:
  Hider(const context::IgnorePatterns& ignore, const std::string& layer) : m_ignore(ignore), m_layer(layer) {}

  /// Hides what is excluded in `folder`, whose path in the context is `path` ("" for the top).
  Result<Shown> hide_in(const os::Fd& folder, const std::string& path) {
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
    std::vector<std::string> hidden;
    auto shown = Shown::nothing;
    for (const auto& entry : entries) {
      const auto below = path.empty() ? entry.name : path + "/" + entry.name;
      SHEAF_TRY_ASSIGN(const auto what, look_at(folder, entry.name, below));
      if (what == Shown::nothing) {
        hidden.push_back(below);
      } else {
        shown = Shown::something;
      }
    }
    // Of a folder that is hidden as a whole, one mark is enough.
    if (shown == Shown::something || path.empty() || !m_ignore.excludes(path)) {
      SHEAF_TRY(mark(folder, path, hidden));
      return Shown::something;
    }
    return Shown::nothing;
  }

private:
  Result<Shown> look_at(const os::Fd& folder, const std::string& name, const std::string& path) {
    struct stat info {};
    if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, fmt::format("looking at '{}'", path));
    }
    const bool excluded = m_ignore.excludes(path);
    if (!S_ISDIR(info.st_mode) || (excluded && !m_ignore.may_except_below(path))) {
      return excluded ? Shown::nothing : Shown::something;
    }
    SHEAF_TRY_ASSIGN(const auto inner, os::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return hide_in(inner, path);
  }

  /// Whiteouts, in a folder that looks like the one it covers; what lies below it has been marked before.
  Result<void> mark(const os::Fd& folder, const std::string& path, const std::vector<std::string>& hidden) {
    const auto target = path.empty() ? m_layer : m_layer + "/" + path;
    if (hidden.empty() && !os::is_directory(target)) {
      return {};
    }
    SHEAF_TRY(os::make_directories(target));
    for (const auto& name : hidden) {
      // Source: overlayfs.rst, whiteouts; every user may make this device, see mknod(2).
      if (mknod((m_layer + "/" + name).c_str(), S_IFCHR, makedev(0, 0)) != 0) {
        return Error::from_errno(errno, fmt::format("hiding '{}'", name));
      }
    }
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(folder));
    const std::array<timespec, 2> times = {info.st_atim, info.st_mtim};
    if (chmod(target.c_str(), info.st_mode & 07777U) != 0 ||
        utimensat(AT_FDCWD, target.c_str(), times.data(), 0) != 0) {
      return Error::from_errno(errno, fmt::format("setting permissions and time of '{}'", target));
    }
    return {};
  }

  const context::IgnorePatterns& m_ignore;
  const std::string& m_layer;
};

} // namespace

Result<void> hide_ignored(const os::Fd& context, const context::IgnorePatterns& ignore, const std::string& layer) {
  SHEAF_TRY(Hider(ignore, layer).hide_in(context, ""));
  return {};
}

} // namespace sheaf::builder
