// SPDX-License-Identifier: Apache-2.0
#include "builder/share_files.hpp"

#include "layer/inventory.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

namespace sheaf::builder {
namespace {

using layer::EntryType;
using layer::InventoryLine;
using os::Fd;

std::optional<struct stat> look(const Fd& folder, const char* name) {
  struct stat info {};
  if (fstatat(folder.get(), name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return info;
}

/// Before contents are compared: the inventories say all of it already, a tree that somebody changed may differ.
bool alike(const struct stat& a, const struct stat& b) {
  return S_ISREG(a.st_mode) && a.st_mode == b.st_mode && a.st_uid == b.st_uid && a.st_gid == b.st_gid &&
         a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

/// As many bytes from `offset` on as there are, at most a buffer; nothing if they cannot be read.
std::optional<std::string_view> read_block(const Fd& file, off_t offset, std::vector<char>& buffer) {
  std::size_t used = 0;
  while (used < buffer.size()) {
    const auto got = pread(file.get(), buffer.data() + used, buffer.size() - used, offset + static_cast<off_t>(used));
    if (got < 0 && errno != EINTR) {
      return std::nullopt;
    }
    if (got == 0) {
      break;
    }
    used += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return std::string_view(buffer.data(), used);
}

/// Compares contents; keeps its buffers: small files are many.
class Comparison {
public:
  bool are_equal(const Fd& a, const Fd& b) {
    m_buffer_a.resize(k_block);
    m_buffer_b.resize(k_block);
    for (off_t offset = 0;; offset += static_cast<off_t>(k_block)) {
      const auto block_a = read_block(a, offset, m_buffer_a);
      const auto block_b = read_block(b, offset, m_buffer_b);
      if (!block_a || !block_b || *block_a != *block_b) {
        return false;
      }
      if (block_a->size() < k_block) {
        return true;
      }
    }
  }

private:
  static constexpr std::size_t k_block = std::size_t{256} * 1024;
  std::vector<char> m_buffer_a; ///< empty until there is something to compare
  std::vector<char> m_buffer_b;
};

/// Links files of one donor into the tree, folder by folder, and keeps the times of the folders.
class Linker {
public:
  Linker(const Fd& tree, const Fd& donor, const std::string& scratch)
      : m_tree(tree), m_donor(donor), m_scratch(scratch) {}

  /// How many bytes are shared now; nothing if the file was left alone.
  Result<std::optional<std::uint64_t>> link(const std::string& path) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash);
    if (folder != m_folder) {
      SHEAF_TRY(leave());
      enter(folder);
    }
    return link_here(slash == std::string::npos ? path.c_str() : path.c_str() + slash + 1);
  }

  /// Gives the folder its time back. Call it after the last link.
  Result<void> leave() {
    if (m_changed && futimens(m_into.get(), m_times.data()) != 0) {
      return Error::from_errno(errno, fmt::format("setting the time of '{}'", m_folder));
    }
    m_changed = false;
    return {};
  }

private:
  void enter(const std::string& folder) {
    m_folder = folder;
    m_into = Fd();
    m_from = Fd();
    auto into = os::open_beneath(m_tree, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    auto from = os::open_beneath(m_donor, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat info {};
    if (into && from && fstat(into->get(), &info) == 0) {
      m_times = {info.st_atim, info.st_mtim};
      m_into = std::move(*into);
      m_from = std::move(*from);
    }
  }

  std::optional<std::uint64_t> link_here(const char* name) {
    const auto mine = m_into ? look(m_into, name) : std::nullopt;
    const auto theirs = m_into ? look(m_from, name) : std::nullopt;
    if (!mine || !theirs || !alike(*mine, *theirs) || mine->st_nlink > 1 || !have_same_content(name)) {
      return std::nullopt;
    }
    if (linkat(m_from.get(), name, AT_FDCWD, m_scratch.c_str(), 0) != 0) {
      return std::nullopt;
    }
    if (renameat(AT_FDCWD, m_scratch.c_str(), m_into.get(), name) != 0) {
      unlink(m_scratch.c_str());
      return std::nullopt;
    }
    m_changed = true;
    return static_cast<std::uint64_t>(mine->st_size);
  }

  /// Damage of the donor must not become ours.
  bool have_same_content(const char* name) {
    const auto mine = os::open_beneath(m_into, name, O_RDONLY | O_NOFOLLOW);
    const auto theirs = os::open_beneath(m_from, name, O_RDONLY | O_NOFOLLOW);
    return mine && theirs && m_comparison.are_equal(*mine, *theirs);
  }

  const Fd& m_tree;
  const Fd& m_donor;
  const std::string& m_scratch;
  std::string m_folder;
  Fd m_into;
  Fd m_from;
  Comparison m_comparison;
  std::array<timespec, 2> m_times{};
  bool m_changed = false;
};

/// Regular files with contents; the later names of a hard link are no files of their own.
std::vector<InventoryLine> files_of(const std::vector<InventoryLine>& lines) {
  std::vector<InventoryLine> files;
  for (const auto& line : lines) {
    const bool is_empty = line.attributes.find("\t0\te3b0c442") != std::string_view::npos; // SHA-256 of nothing
    if (line.type == EntryType::file && !is_empty && line.attributes.find("\t=") == std::string_view::npos) {
      files.push_back(line);
    }
  }
  return files;
}

/// Links what `donor` has of `wanted`, both sorted by path, and returns the rest of `wanted`.
Result<std::vector<InventoryLine>> share_with(const store::StoredLayer& donor, const Fd& tree,
                                              const std::vector<InventoryLine>& wanted, const std::string& scratch,
                                              SharedFiles& shared) {
  const auto text = os::read_file(donor.inventory());
  const auto root = os::open(donor.tree(), O_RDONLY | O_DIRECTORY);
  const auto lines = text ? layer::split_inventory(*text) : Result<std::vector<InventoryLine>>(Error(text.error()));
  if (!root || !lines) {
    return wanted; // removed meanwhile, or damaged: no business of this layer
  }
  Linker linker(tree, *root, scratch);
  std::vector<InventoryLine> rest;
  auto theirs = lines->begin();
  for (const auto& mine : wanted) {
    while (theirs != lines->end() && theirs->path < mine.path) {
      ++theirs;
    }
    std::optional<std::uint64_t> bytes;
    if (theirs != lines->end() && theirs->path == mine.path && theirs->attributes == mine.attributes) {
      SHEAF_TRY_ASSIGN(const auto path, layer::unescape_path(mine.path));
      SHEAF_TRY_ASSIGN(bytes, linker.link(path));
    }
    if (bytes) {
      ++shared.files;
      shared.bytes += *bytes;
    } else {
      rest.push_back(mine);
    }
  }
  SHEAF_TRY(linker.leave());
  return rest;
}

} // namespace

Result<SharedFiles> share_files(const std::string& tree, std::string_view inventory,
                                const std::vector<store::StoredLayer>& donors, const std::string& scratch) {
  SharedFiles shared;
  SHEAF_TRY_ASSIGN(const auto lines, layer::split_inventory(inventory));
  auto wanted = files_of(lines);
  SHEAF_TRY_ASSIGN(const Fd root, os::open(tree, O_RDONLY | O_DIRECTORY));
  for (const auto& donor : donors) {
    if (wanted.empty()) {
      break;
    }
    SHEAF_TRY_ASSIGN(wanted, share_with(donor, root, wanted, scratch, shared));
  }
  return shared;
}

} // namespace sheaf::builder
