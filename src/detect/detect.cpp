// SPDX-License-Identifier: Apache-2.0
#include "detect/detect.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace sheaf::detect {
namespace {

/// Folders of other people's code or of build results; what lies there says nothing about the project.
constexpr std::array<std::string_view, 4> k_skipped = {"node_modules", "target", "vendor", "__pycache__"};

bool is_skipped(std::string_view directory) {
  return directory.starts_with('.') || std::find(k_skipped.begin(), k_skipped.end(), directory) != k_skipped.end();
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

/// Opens a directory below `parent` without following a link in its last part; null with errno set on failure.
Directory open_directory(int parent, const char* name, int extra_flags) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | extra_flags);
  if (fd < 0) {
    return nullptr;
  }
  Directory directory(::fdopendir(fd));
  if (!directory) {
    ::close(fd);
  }
  return directory;
}

enum class EntryType { file, directory, other };

EntryType type_of(int parent, const dirent& entry) {
  if (entry.d_type == DT_REG) {
    return EntryType::file;
  }
  if (entry.d_type == DT_DIR) {
    return EntryType::directory;
  }
  struct stat status {};
  // Some file systems do not say the type in the listing.
  if (entry.d_type != DT_UNKNOWN || ::fstatat(parent, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return EntryType::other;
  }
  return S_ISREG(status.st_mode) ? EntryType::file : S_ISDIR(status.st_mode) ? EntryType::directory : EntryType::other;
}

/// The rules, such that a file name that no rule is about costs one look-up.
class Matcher {
public:
  explicit Matcher(std::span<const Rule> rules) {
    for (const auto& rule : rules) {
      if (rule.glob.find_first_of("*?[\\/") == std::string::npos) {
        m_by_name[rule.glob].push_back(&rule);
      } else {
        m_globs.push_back(&rule);
      }
    }
  }

  /// Calls `found(rule)` for each rule that fits the file `name` in `directory` ("" or "a/b/").
  template <class Found>
  void match(std::string_view directory, const char* name, Found&& found) const {
    if (const auto rules = m_by_name.find(std::string_view(name)); rules != m_by_name.end()) {
      std::for_each(rules->second.begin(), rules->second.end(), found);
    }
    for (const auto* rule : m_globs) {
      const bool is_path = rule->glob.find('/') != std::string::npos;
      const bool fits = is_path
                            ? ::fnmatch(rule->glob.c_str(), (std::string(directory) + name).c_str(), FNM_PATHNAME) == 0
                            : ::fnmatch(rule->glob.c_str(), name, 0) == 0;
      if (fits) {
        found(rule);
      }
    }
  }

private:
  std::unordered_map<std::string_view, std::vector<const Rule*>> m_by_name;
  std::vector<const Rule*> m_globs;
};

class Walk {
public:
  Walk(const Matcher& matcher, const Options& options) : m_matcher(matcher), m_options(options) {}

  /// Reads `directory`, whose path below the root is `path` ("" or "a/b/").
  void read(DIR* directory, const std::string& path, std::size_t depth) {
    const int fd = ::dirfd(directory);
    note_directory(fd, path);
    while (const auto* entry = ::readdir(directory)) {
      const auto type = type_of(fd, *entry);
      if (type == EntryType::file) {
        m_matcher.match(path, entry->d_name, [&](const Rule* rule) { add(*rule, path, entry->d_name); });
      } else if (type == EntryType::directory && depth < m_options.depth && !is_skipped(entry->d_name)) {
        if (const auto below = open_directory(fd, entry->d_name, O_NOFOLLOW)) {
          read(below.get(), path + entry->d_name + "/", depth + 1);
        }
      }
    }
  }

  Detection finish() && {
    std::sort(m_found.findings.begin(), m_found.findings.end(), [](const Finding& a, const Finding& b) {
      const auto depth_a = depth_of(a.file);
      const auto depth_b = depth_of(b.file);
      return std::tie(depth_a, a.file, a.layer) < std::tie(depth_b, b.file, b.layer);
    });
    auto& findings = m_found.findings; // two rules of a layer may fit one file
    findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
    std::sort(m_found.directories.begin(), m_found.directories.end(),
              [](const WalkedDirectory& a, const WalkedDirectory& b) { return a.path < b.path; });
    return std::move(m_found);
  }

private:
  static std::ptrdiff_t depth_of(const std::string& file) { return std::count(file.begin(), file.end(), '/'); }

  void note_directory(int fd, const std::string& path) {
    struct stat status {};
    // Before reading: a change while we read then shows up as a newer time.
    if (::fstat(fd, &status) == 0) {
      const auto mtime = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
      m_found.directories.push_back({path.empty() ? "." : path.substr(0, path.size() - 1), mtime});
    }
  }

  void add(const Rule& rule, const std::string& path, const char* name) {
    m_found.findings.push_back({rule.layer, path + name, 0, name});
  }

  const Matcher& m_matcher;
  const Options& m_options;
  Detection m_found;
};

} // namespace

Result<Detection> detect(const std::string& root, std::span<const Rule> rules, const Options& options) {
  const auto directory = open_directory(AT_FDCWD, root.c_str(), 0);
  if (!directory) {
    return Error::from_errno(errno, "reading directory '" + root + "'");
  }
  const Matcher matcher(rules);
  Walk walk(matcher, options);
  walk.read(directory.get(), "", 0);
  return std::move(walk).finish();
}

} // namespace sheaf::detect
