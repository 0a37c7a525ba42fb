// SPDX-License-Identifier: Apache-2.0
#include "layer/compare.hpp"

#include "base/path_pattern.hpp"
#include "base/text.hpp"
#include "layer/capture_rules.hpp"
#include "os/file.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <set>

namespace sheaf::layer {
namespace {

using os::Fd;

/// Larger files are not looked at line by line.
constexpr off_t k_most_text = off_t{4} * 1024 * 1024;
constexpr std::size_t k_most_shown = 100;
constexpr const char* k_contents = "contents";

using Of = KnownException::Of;

constexpr std::array k_font_caches = {std::string_view("var/cache/fontconfig/*.cache-*")};
constexpr std::array k_man_indexes = {std::string_view("var/cache/man/index.db"),
                                      std::string_view("var/cache/man/*/index.db")};
constexpr std::array k_man_marks = {std::string_view("var/cache/man/cat?"), std::string_view("var/cache/man/*/cat?"),
                                    std::string_view("var/cache/man/*/CACHEDIR.TAG")};

constexpr std::array k_known = {
    KnownException{k_font_caches, Of::file,
                   "fontconfig's caches hold the times of folders, and a build clears away those of a later time than "
                   "SOURCE_DATE_EPOCH"},
    KnownException{
        k_man_indexes, Of::contents,
        "mandb leaves pages that were removed, and links that were redirected, in an index that it only updates"},
    KnownException{k_man_marks, Of::existence,
                   "mandb makes empty folders for the sections that have pages when it first runs, and tags for backup "
                   "programs when it runs again"},
};

/// Does `exception` cover such a difference? `what` is that of a Difference.
bool covers(const KnownException& exception, const std::string& path, std::string_view what) {
  const bool fits = what.starts_with("directory only in ") ? exception.of == Of::existence
                    : what.starts_with("file only in ")    ? exception.of != Of::contents
                                                           : what == k_contents && exception.of != Of::existence;
  return fits && std::ranges::any_of(exception.patterns, [&](auto pattern) { return matches_path(pattern, path); });
}

std::optional<struct stat> look(const Fd& folder, const std::string& name) {
  struct stat info {};
  if (!folder || fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return info;
}

bool same_time(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

/// Inode numbers alone could agree by chance on two file systems; with both times they cannot.
bool same_inode(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_size == b.st_size && same_time(a.st_mtim, b.st_mtim) &&
         same_time(a.st_ctim, b.st_ctim);
}

std::string_view type_name(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG:
    return "file";
  case S_IFDIR:
    return "directory";
  case S_IFLNK:
    return "link";
  case S_IFCHR:
  case S_IFBLK:
    return "device";
  case S_IFIFO:
    return "pipe";
  default:
    return "socket";
  }
}

bool is_text(std::string_view bytes) { return bytes.find('\0') == std::string_view::npos; }

std::string shown(std::string_view line) {
  const auto cut = line.size() > k_most_shown ? std::string(line.substr(0, k_most_shown)) + "…" : std::string(line);
  std::string safe;
  for (const char c : cut) { // a file's bytes must not steer the terminal
    const auto byte = static_cast<unsigned char>(c);
    safe += byte < 0x20 || byte == 0x7F ? fmt::format("\\{:03o}", byte) : std::string(1, c);
  }
  return "'" + safe + "'";
}

/// One folder of both roots; a descriptor is empty where the folder is missing.
struct Folder {
  const Fd& first;
  const Fd& second;
  /// Root-relative with a trailing slash; empty for the root.
  std::string prefix;
};

/// The names of one inode on one side.
using Links = std::map<ino_t, std::vector<std::string>>;

class Walk {
public:
  explicit Walk(const CompareOptions& options) : m_options(options) {}

  Result<void> root(const Fd& first, const Fd& second) {
    SHEAF_TRY_ASSIGN(const auto a, os::stat_of(first));
    SHEAF_TRY_ASSIGN(const auto b, os::stat_of(second));
    compare_metadata(".", a, b);
    return folder({first, second, ""});
  }

  Comparison take() && {
    compare_links();
    return std::move(m_result);
  }

private:
  Result<void> folder(const Folder& folder) {
    std::set<std::string> names;
    for (const auto* side : {&folder.first, &folder.second}) {
      if (*side) {
        SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(*side));
        for (const auto& entry : entries) {
          names.insert(entry.name);
        }
      }
    }
    for (const auto& name : names) {
      SHEAF_TRY(visit(folder, name).context(fmt::format("comparing '/{}{}'", folder.prefix, name)));
    }
    return {};
  }

  Result<void> visit(const Folder& folder, const std::string& name) {
    const auto a = look(folder.first, name);
    const auto b = look(folder.second, name);
    const auto path = folder.prefix + name;
    ++m_result.paths;
    note_links(path, a, m_first_links);
    note_links(path, b, m_second_links);
    const bool directory = (a && S_ISDIR(a->st_mode)) || (b && S_ISDIR(b->st_mode));
    if (!a || !b) {
      SHEAF_TRY(add_one_sided(folder, name, a, b));
    } else if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT)) {
      add(path, fmt::format("{} / {}", type_name(a->st_mode), type_name(b->st_mode)));
    } else {
      SHEAF_TRY(compare_entry(folder, name, *a, *b));
    }
    if (!directory || m_rules.dropping(path, PathIs::directory) != nullptr) {
      return {}; // what lies in a directory of noise is noise
    }
    SHEAF_TRY_ASSIGN(const auto inner_first, open_folder(folder.first, name, a));
    SHEAF_TRY_ASSIGN(const auto inner_second, open_folder(folder.second, name, b));
    return this->folder({inner_first, inner_second, path + "/"});
  }

  Result<void> add_one_sided(const Folder& folder, const std::string& name, const std::optional<struct stat>& a,
                             const std::optional<struct stat>& b) {
    const auto mode = a ? a->st_mode : b->st_mode;
    std::string target;
    if (S_ISLNK(mode)) { // of some links the target says that they are noise
      SHEAF_TRY_ASSIGN(target, os::read_link_at(a ? folder.first : folder.second, name));
    }
    add(folder.prefix + name, fmt::format("{} only in the {}", type_name(mode), a ? m_options.first : m_options.second),
        "", S_ISLNK(mode) ? std::optional<std::string_view>(target) : std::nullopt);
    return {};
  }

  static Result<Fd> open_folder(const Fd& parent, const std::string& name, const std::optional<struct stat>& info) {
    if (!info || !S_ISDIR(info->st_mode)) {
      return Fd();
    }
    return os::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

  static void note_links(const std::string& path, const std::optional<struct stat>& info, Links& links) {
    if (info && !S_ISDIR(info->st_mode) && info->st_nlink > 1) {
      links[info->st_ino].push_back(path);
    }
  }

  Result<void> compare_entry(const Folder& folder, const std::string& name, const struct stat& a,
                             const struct stat& b) {
    if (!S_ISDIR(a.st_mode) && same_inode(a, b)) {
      return {};
    }
    const auto path = folder.prefix + name;
    if (!compare_metadata(path, a, b)) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto first, attributes(folder.first, name));
    SHEAF_TRY_ASSIGN(const auto second, attributes(folder.second, name));
    if (first != second) {
      add(path, "extended attributes");
      return {};
    }
    switch (a.st_mode & S_IFMT) {
    case S_IFREG:
      return compare_contents(folder, name, a, b);
    case S_IFLNK:
      return compare_targets(folder, name);
    default:
      return {};
    }
  }

  /// False if a difference was noted: one a path is enough.
  bool compare_metadata(const std::string& path, const struct stat& a, const struct stat& b) {
    if (a.st_mode != b.st_mode) {
      add(path, fmt::format("mode {:04o} / {:04o}", a.st_mode & 07777U, b.st_mode & 07777U));
    } else if (a.st_uid != b.st_uid || a.st_gid != b.st_gid) {
      add(path, fmt::format("owner {}:{} / {}:{}", a.st_uid, a.st_gid, b.st_uid, b.st_gid));
    } else if ((S_ISCHR(a.st_mode) || S_ISBLK(a.st_mode)) && a.st_rdev != b.st_rdev) {
      add(path,
          fmt::format("device {}:{} / {}:{}", major(a.st_rdev), minor(a.st_rdev), major(b.st_rdev), minor(b.st_rdev)));
    } else {
      return true;
    }
    return false;
  }

  static Result<std::map<std::string, std::string>> attributes(const Fd& folder, const std::string& name) {
    SHEAF_TRY_ASSIGN(auto all, os::attributes_at(folder, name));
    std::erase_if(all, [](const auto& attribute) {
      return attribute.first.starts_with("trusted.overlay.") || attribute.first.starts_with("user.overlay.");
    });
    return all;
  }

  Result<void> compare_targets(const Folder& folder, const std::string& name) {
    SHEAF_TRY_ASSIGN(const auto first, os::read_link_at(folder.first, name));
    SHEAF_TRY_ASSIGN(const auto second, os::read_link_at(folder.second, name));
    if (first != second) {
      add(folder.prefix + name, fmt::format("link to {} / {}", shown(first), shown(second)));
    }
    return {};
  }

  Result<void> compare_contents(const Folder& folder, const std::string& name, const struct stat& a,
                                const struct stat& b) {
    const auto path = folder.prefix + name;
    if (m_rules.dropping(path, PathIs::other) != nullptr && a.st_size != b.st_size) {
      add(path, k_contents);
      return {};
    }
    ++m_result.files_read;
    SHEAF_TRY_ASSIGN(const Fd first, os::open_at(folder.first, name, O_RDONLY | O_NOFOLLOW));
    SHEAF_TRY_ASSIGN(const Fd second, os::open_at(folder.second, name, O_RDONLY | O_NOFOLLOW));
    if (a.st_size > k_most_text || b.st_size > k_most_text) {
      return compare_large(path, first, second);
    }
    SHEAF_TRY_ASSIGN(const auto one, os::read_all(first));
    SHEAF_TRY_ASSIGN(const auto two, os::read_all(second));
    if (one != two) {
      add_contents(path, one, two);
    }
    return {};
  }

  Result<void> compare_large(const std::string& path, const Fd& first, const Fd& second) {
    std::uint64_t offset = 0;
    for (;;) {
      SHEAF_TRY_ASSIGN(const auto one, block_at(first, offset));
      SHEAF_TRY_ASSIGN(const auto two, block_at(second, offset));
      if (one != two) {
        const auto [end, ignored] = std::ranges::mismatch(one, two);
        add(path, k_contents, fmt::format("byte {}", offset + static_cast<std::uint64_t>(end - one.begin())));
        return {};
      }
      if (one.empty()) {
        return {};
      }
      offset += one.size();
    }
  }

  /// Full but at the end of the file, so that blocks of two files line up.
  static Result<std::string> block_at(const Fd& file, std::uint64_t offset) {
    std::string block(262144, '\0');
    std::size_t have = 0;
    while (have < block.size()) {
      const auto got = pread(file.get(), block.data() + have, block.size() - have, static_cast<off_t>(offset + have));
      if (got < 0 && errno != EINTR) {
        return Error::from_errno(errno, "reading");
      }
      if (got == 0) {
        break;
      }
      have += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    block.resize(have);
    return block;
  }

  void add_contents(const std::string& path, const std::string& one, const std::string& two) {
    const auto detail = first_difference(one, two);
    const auto kind = add(path, k_contents, detail);
    const bool may_be_better = kind == DifferenceClass::differs || kind == DifferenceClass::known;
    if (!may_be_better || !m_options.same_facts || !m_options.same_facts(path, one, two)) {
      return;
    }
    auto& difference = m_result.differences.back();
    const bool reordered = same_lines(one, two);
    difference.kind = reordered ? DifferenceClass::order_only : DifferenceClass::same_facts;
    difference.reason = reordered ? "the same records in another order, which means nothing in this file"
                                  : "the same records, but for what says when they were written";
  }

  /// `target` is that of a link, if it matters.
  DifferenceClass add(const std::string& path, std::string what, std::string detail = "",
                      std::optional<std::string_view> target = std::nullopt) {
    Difference difference{path, DifferenceClass::differs, std::move(what), "", std::move(detail)};
    const auto is = difference.what.starts_with("directory") ? PathIs::directory
                    : target                                 ? PathIs::link
                                                             : PathIs::other;
    if (const auto* rule = m_rules.dropping(path, is, target.value_or(""))) {
      difference.kind = rule->kind == "identity" ? DifferenceClass::identity : DifferenceClass::noise;
      difference.reason = fmt::format("{}: {}", rule->kind, rule->reason);
    } else {
      const auto* known =
          std::ranges::find_if(k_known, [&](const auto& row) { return covers(row, path, difference.what); });
      if (known != k_known.end()) {
        difference.kind = DifferenceClass::known;
        difference.reason = std::string(known->reason);
      }
    }
    m_result.differences.push_back(std::move(difference));
    return m_result.differences.back().kind;
  }

  /// Files that are one inode under several names on one side must be so on the other. Names that differ anyway are
  /// left out: that they are missing has been said.
  void compare_links() {
    std::set<std::string> told;
    for (const auto& difference : m_result.differences) {
      told.insert(difference.path);
    }
    const auto groups = [&told](const Links& links) {
      std::map<std::string, std::string> first_name;
      for (const auto& [inode, paths] : links) {
        std::vector<std::string> kept;
        std::ranges::copy_if(paths, std::back_inserter(kept), [&](const auto& path) { return !told.contains(path); });
        for (std::size_t i = 1; i < kept.size(); ++i) { // the first name alone is no group
          first_name[kept[i]] = kept.front();
        }
      }
      return first_name;
    };
    const auto first = groups(m_first_links);
    const auto second = groups(m_second_links);
    const auto missing = [this](const auto& in, const auto& other, const std::string& side) {
      for (const auto& [path, target] : in) {
        const auto found = other.find(path);
        if (found == other.end() || found->second != target) {
          add(path, fmt::format("hard link to '{}' in the {} only", target, side));
        }
      }
    };
    missing(first, second, m_options.first);
    missing(second, first, m_options.second);
  }

  const CompareOptions& m_options;
  CaptureRules m_rules;
  Comparison m_result;
  Links m_first_links;
  Links m_second_links;
};

} // namespace

std::string_view to_string(DifferenceClass kind) {
  switch (kind) {
  case DifferenceClass::noise:
    return "noise";
  case DifferenceClass::identity:
    return "identity";
  case DifferenceClass::order_only:
    return "order only";
  case DifferenceClass::same_facts:
    return "same facts";
  case DifferenceClass::known:
    return "known exception";
  case DifferenceClass::differs:
    break;
  }
  return "DIFFERS";
}

bool is_explained(DifferenceClass kind) { return kind != DifferenceClass::differs; }

std::span<const KnownException> known_exceptions() { return k_known; }

std::string first_difference(std::string_view first, std::string_view second) {
  const auto [end, other] = std::ranges::mismatch(first, second);
  const auto offset = static_cast<std::size_t>(end - first.begin());
  if (!is_text(first) || !is_text(second)) {
    return fmt::format("byte {}", offset);
  }
  const auto line = std::ranges::count(first.substr(0, offset), '\n');
  const auto line_at = [&](std::string_view text) {
    const auto start = offset == 0 ? 0 : first.rfind('\n', offset - 1) + 1;
    return text.size() <= start ? std::string("end of file")
                                : shown(text.substr(start, text.find('\n', start) - start));
  };
  return fmt::format("line {}: {} / {}", line + 1, line_at(first), line_at(second));
}

bool same_lines(std::string_view first, std::string_view second) {
  if (first == second || first.size() != second.size() || !is_text(first) || !is_text(second)) {
    return false;
  }
  auto one = lines_of(first);
  auto two = lines_of(second);
  std::ranges::sort(one);
  std::ranges::sort(two);
  return one == two;
}

Result<Comparison> compare(const Fd& first, const Fd& second, const CompareOptions& options) {
  Walk walk(options);
  SHEAF_TRY(walk.root(first, second));
  return std::move(walk).take();
}

} // namespace sheaf::layer
