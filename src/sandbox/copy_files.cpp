// SPDX-License-Identifier: Apache-2.0
#include "sandbox/copy_files.hpp"

#include "archive/unpack.hpp"
#include "base/diagnostics.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/resolve.hpp"
#include "sandbox/copy_entries.hpp"
#include "sandbox/process_setup.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "context/selection.hpp"

namespace sheaf::sandbox {
namespace {

using os::Fd;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// The modes of new files are what they are asked to be.
class NoUmask {
public:
  NoUmask() : m_before(umask(0)) {}
  ~NoUmask() { umask(m_before); }
  NoUmask(const NoUmask&) = delete;
  NoUmask& operator=(const NoUmask&) = delete;

private:
  mode_t m_before;
};

/// Two descriptors are open for every level of a tree.
void allow_many_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/// One instruction.
class Copy {
public:
  Copy(const CopyFiles& copy, Fd root) : m_copy(copy), m_root(std::move(root)) {}

  Result<void> run() {
    SHEAF_TRY(read_owner());
    if (!m_copy.mode.empty()) {
      SHEAF_TRY_ASSIGN(m_attributes.mode, FileMode::parse(m_copy.mode));
    }
    m_attributes.owner = m_owner;
    m_attributes.epoch = m_copy.epoch;
    Fd tree;
    std::vector<context::SelectedSource> selected;
    if (!m_copy.tree.empty()) {
      SHEAF_TRY_ASSIGN(tree, open_tree());
      SHEAF_TRY_ASSIGN(selected, select(tree, m_copy.sources));
    }
    SHEAF_TRY(check_destination(selected));
    for (const auto& source : selected) {
      auto attributes = m_attributes;
      if (m_copy.keep_owners && m_copy.owner.empty()) {
        attributes.owner.reset();
      }
      SHEAF_TRY(copy_selected(tree, source, attributes, m_copy.unpack_sources));
    }
    for (const auto& file : m_copy.files) {
      SHEAF_TRY(copy_host(file).context(fmt::format("copying '{}'", file.name)));
    }
    return {};
  }

private:
  Result<void> read_owner() {
    SHEAF_TRY_ASSIGN(const auto owner, owner_in_root(m_root, m_copy.owner));
    m_owner = {owner.uid, owner.gid};
    return {};
  }

  Result<Fd> open_tree() const {
    if (m_copy.tree.size() == 1) {
      return os::open(m_copy.tree.front(), O_RDONLY | O_DIRECTORY);
    }
    SHEAF_TRY_ASSIGN(const Fd mount, os::mount_overlay({m_copy.tree, "", "", false}).context("mounting the sources"));
    return os::open_at(mount, ".", O_RDONLY | O_DIRECTORY);
  }

  Result<std::vector<context::SelectedSource>> select(const Fd& tree, const std::vector<std::string>& sources) const {
    Diagnostics diagnostics;
    const auto text = std::make_shared<SourceText>(".dockerignore", m_copy.ignore);
    const auto ignore = context::IgnorePatterns::parse(text, diagnostics);
    if (diagnostics.has_errors()) {
      return diagnostics.to_error("reading '.dockerignore'");
    }
    return context::select(tree, {sources, m_copy.excludes, m_copy.parents}, &ignore);
  }

  bool wants_folder() const { return m_copy.destination.ends_with('/'); }

  /// Several files cannot become one.
  Result<void> check_destination(const std::vector<context::SelectedSource>& selected) const {
    const auto count = selected.size() + m_copy.files.size();
    const bool only_folders =
        m_copy.files.empty() &&
        std::all_of(selected.begin(), selected.end(), [](const auto& source) { return source.is_directory; });
    if (count < 2 || wants_folder() || only_folders ||
        os::open_in_root(m_root, m_copy.destination, O_PATH | O_DIRECTORY)) {
      return {};
    }
    return Error(ErrorCode::invalid,
                 fmt::format("{} sources cannot become the one file '{}'", count, m_copy.destination))
        .with_hint(fmt::format("to copy into a folder, write '{}/'", m_copy.destination));
  }

  /// Makes folder `path` of the root (resolved, so without links) and those above it; existing ones stay as they are.
  Result<Fd> make_folder(const std::string& path) const {
    for (std::size_t at = 0; at < path.size();) {
      const auto end = std::min(path.find('/', at), path.size());
      const auto part = path.substr(0, end);
      at = end + 1;
      if (os::open_beneath(m_root, part, O_PATH | O_NOFOLLOW)) {
        continue;
      }
      SHEAF_TRY_ASSIGN(const Fd above,
                       os::open_beneath(m_root, folder_of(part).empty() ? "." : folder_of(part), O_PATH | O_DIRECTORY));
      SHEAF_TRY(make_one(above, base_of(part)).context(fmt::format("making folder '/{}'", part)));
    }
    auto folder = os::open_beneath(m_root, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
    if (!folder && folder.error().errno_value() == ENOTDIR) {
      return Error(ErrorCode::conflict, fmt::format("'/{}' is not a folder, nothing can be copied into it", path))
          .with_hint("choose another destination, or remove the file in an earlier step");
    }
    return folder;
  }

  Result<void> make_one(const Fd& above, const std::string& name) const {
    const timespec time = m_copy.epoch ? timespec{*m_copy.epoch, 0} : timespec{0, UTIME_OMIT};
    const std::array<timespec, 2> times = {time, time};
    if (mkdirat(above.get(), name.c_str(), 0755) != 0 ||
        fchownat(above.get(), name.c_str(), m_owner.first, m_owner.second, AT_SYMLINK_NOFOLLOW) != 0 ||
        utimensat(above.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, "mkdir");
    }
    return {};
  }

  /// The destination with its links followed, which may lead to what is not there yet.
  Result<std::string> destination() const {
    SHEAF_TRY_ASSIGN(auto resolved, os::resolve_in_root(m_root, m_copy.destination, os::Missing::is_kept));
    return std::move(resolved.path);
  }

  struct FilePlace {
    Fd folder;
    std::string name;
  };
  /// Where a file called `name` goes.
  Result<FilePlace> place_of(const std::string& name) const {
    SHEAF_TRY_ASSIGN(const auto path, destination());
    const bool into = wants_folder() || os::open_beneath(m_root, path.empty() ? "." : path, O_PATH | O_DIRECTORY);
    SHEAF_TRY_ASSIGN(auto folder, make_folder(into ? path : folder_of(path)));
    return FilePlace{std::move(folder), into ? name : base_of(path)};
  }

  Result<void> copy_selected(const Fd& tree, const context::SelectedSource& source, const CopyAttributes& attributes,
                             bool unpack) const {
    if (source.is_directory) {
      SHEAF_TRY_ASSIGN(const auto path, destination());
      SHEAF_TRY_ASSIGN(const auto folder, make_folder(path));
      return EntryCopier(tree, folder, attributes).copy_folder(source);
    }
    const auto& entry = source.entries.front();
    if (unpack && entry.type == DT_REG) {
      SHEAF_TRY_ASSIGN(Fd file, os::open_beneath(tree, entry.source, O_RDONLY | O_NOFOLLOW));
      SHEAF_TRY_ASSIGN(const bool is_archive, archive::is_archive(file));
      if (is_archive) {
        return unpack_here(std::move(file)).context(fmt::format("unpacking '/{}'", entry.source));
      }
    }
    SHEAF_TRY_ASSIGN(const auto place, place_of(entry.name));
    return EntryCopier(tree, place.folder, attributes).copy_file(entry.source, place.name);
  }

  Result<void> unpack_here(Fd file) const {
    SHEAF_TRY_ASSIGN(const auto path, destination());
    SHEAF_TRY_ASSIGN(const auto folder, make_folder(path));
    archive::UnpackOptions options;
    if (!m_copy.owner.empty()) {
      options.owner = m_owner;
    }
    options.epoch = m_copy.epoch;
    SHEAF_TRY_ASSIGN(auto reader, archive::Reader::open(std::move(file)));
    SHEAF_TRY(archive::unpack(reader, folder, "", options));
    return {};
  }

  Result<void> copy_host(const CopyFiles::File& file) const {
    if (file.is_directory) {
      SHEAF_TRY_ASSIGN(const Fd tree, os::open(file.path, O_RDONLY | O_DIRECTORY));
      SHEAF_TRY_ASSIGN(const auto selected, context::select(tree, {{"/"}, m_copy.excludes, false}, nullptr));
      return copy_selected(tree, selected.front(), m_attributes, false);
    }
    SHEAF_TRY_ASSIGN(Fd from, os::open(file.path, O_RDONLY | O_NONBLOCK));
    if (m_copy.unpack_files) {
      SHEAF_TRY_ASSIGN(const bool is_archive, archive::is_archive(from));
      if (is_archive) {
        return unpack_here(std::move(from));
      }
    }
    SHEAF_TRY_ASSIGN(const auto place, place_of(file.name));
    return EntryCopier(m_root, place.folder, m_attributes).copy_host_file(from, place.name, file.mode);
  }

  const CopyFiles& m_copy;
  const Fd m_root;
  std::pair<unsigned, unsigned> m_owner;
  CopyAttributes m_attributes;
};

} // namespace

Result<void> copy_files(const CopyFiles& copy, const std::string& root) {
  const NoUmask no_umask;
  allow_many_descriptors();
  SHEAF_TRY_ASSIGN(Fd root_fd, os::open(root, O_RDONLY | O_DIRECTORY));
  return Copy(copy, std::move(root_fd)).run();
}

} // namespace sheaf::sandbox
