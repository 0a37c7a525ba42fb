// SPDX-License-Identifier: Apache-2.0
#include "detect/detect.hpp"

#include "detect/folder.hpp"
#include "detect/ignore_file.hpp"
#include "detect/matcher.hpp"
#include "detect/pending_folders.hpp"
#include "detect/version_range.hpp"
#include "detect/wanted_version.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace sheaf::detect {
namespace {

/// Folders of other people's code or of build results; what lies there says nothing about the project.
constexpr std::array<std::string_view, 4> k_skipped = {"node_modules", "target", "vendor", "__pycache__"};
constexpr const char* k_ignore_file = ".gitignore";
/// A file that is larger is none that people write.
constexpr std::size_t k_largest_file = 1 << 20;
/// Starting a thread takes as long as reading a few folders.
constexpr std::size_t k_folders_alone = 200;
/// All that a walk does is done by the kernel, where more of them stand in each other's way.
constexpr unsigned k_most_threads = 4;

bool is_skipped(std::string_view directory) {
  return directory.starts_with('.') || std::find(k_skipped.begin(), k_skipped.end(), directory) != k_skipped.end();
}

std::ptrdiff_t depth_of(const std::string& file) { return std::count(file.begin(), file.end(), '/'); }

/// Drops what another finding says better: of one layer and file, those without a version beside one with.
void drop_repeats(std::vector<Finding>& findings) {
  const auto same_file = [](const Finding& a, const Finding& b) { return a.layer == b.layer && a.file == b.file; };
  std::vector<Finding> kept;
  for (auto& finding : findings) {
    const bool is_next = !kept.empty() && same_file(kept.back(), finding);
    if (is_next && kept.back().line == finding.line && kept.back().version == finding.version) {
      kept.back().calls = kept.back().calls || finding.calls;
    } else if (is_next && kept.back().version.empty()) {
      finding.calls = finding.calls || kept.back().calls;
      kept.back() = std::move(finding);
    } else {
      kept.push_back(std::move(finding));
    }
  }
  findings = std::move(kept);
}

/// One thread's part of a walk.
class Walk {
public:
  Walk(const Matcher& matcher, const Options& options, PendingFolders& pending)
      : m_matcher(matcher), m_options(options), m_pending(pending) {}

  /// Puts the root among the pending folders.
  void begin(Folder root) {
    PendingFolder first;
    read_exclude_file(root, first.ignores);
    first.parent = std::make_shared<const Folder>(std::move(root));
    m_pending.found({std::move(first)});
  }

  /// Reads pending folders until there are none, or this thread has read `most`.
  void run(std::size_t most = std::numeric_limits<std::size_t>::max()) {
    for (std::size_t count = 0; count < most; ++count) {
      const auto next = m_pending.take();
      if (!next) {
        return;
      }
      m_pending.found(read(*next));
    }
  }

  Detection take() { return std::move(m_found); }
  /// Why what was found may not be all; nothing if it is.
  const std::optional<Error>& failure() const { return m_failure; }

private:
  struct Candidate {
    std::string name;
    /// Never empty.
    std::vector<std::size_t> rules;
  };
  struct Listing {
    std::vector<Candidate> files;
    std::vector<std::string> folders;
    bool has_ignore_file = false;
  };

  /// What git ignores in this clone only; a `.git` that is a file, as in a work tree, is not followed.
  void read_exclude_file(const Folder& root, IgnoreFiles& ignores) {
    const auto git = root.open_below(".git");
    const auto info = git ? git->open_below("info") : std::nullopt;
    if (!info) {
      examine(errno, ".git/info");
    } else {
      note(*info, ".git/info/");
      read_ignore_file(*info, "exclude", ".git/info/", "", ignores);
    }
  }

  /// Adds it to `ignores`, if there is one. It is `name` in `folder`, whose path is `path`, and speaks of what is below
  /// `scope`.
  void read_ignore_file(const Folder& folder, const char* name, const std::string& path, const std::string& scope,
                        IgnoreFiles& ignores) {
    if (const auto contents = folder.read(name, k_largest_file)) {
      m_found.seen.push_back({path + name, contents->mtime_ns});
      ignores.push(scope, IgnoreFile::parse(contents->text));
    } else {
      examine(errno, path + name);
    }
  }

  /// The folders in `pending` that are to be read, too.
  std::vector<PendingFolder> read(const PendingFolder& pending) {
    auto folder = pending.parent;
    if (!pending.name.empty()) {
      auto below = pending.parent->open_below(pending.name.c_str());
      if (!below) {
        examine(errno, pending.path);
        return {};
      }
      folder = std::make_shared<const Folder>(std::move(*below));
    }
    const auto& path = pending.path;
    note(*folder, path);
    const auto listing = list(*folder, path, pending.depth);
    auto ignores = pending.ignores;
    if (listing.has_ignore_file) {
      read_ignore_file(*folder, k_ignore_file, path, path, ignores);
    }
    for (const auto& file : listing.files) {
      if (!ignores.ignores(path + file.name, EntryKind::file)) {
        look_at(*folder, path, file);
      }
    }
    std::vector<PendingFolder> found;
    for (const auto& name : listing.folders) {
      if (!ignores.ignores(path + name, EntryKind::directory)) {
        found.push_back({folder, name, path + name + "/", pending.depth + 1, ignores});
      }
    }
    return found;
  }

  /// All of it before anything is judged: an ignore file may come last.
  Listing list(const Folder& folder, const std::string& path, std::size_t depth) {
    Listing listing;
    const bool is_all = folder.for_each(m_buffer, [&](std::string_view name, EntryType type) {
      if (type == EntryType::file) {
        if (auto rules = m_matcher.match(path, name); !rules.empty()) {
          listing.files.push_back({std::string(name), std::move(rules)});
        }
        listing.has_ignore_file = listing.has_ignore_file || name == k_ignore_file;
      } else if (type == EntryType::directory && depth < m_options.depth && !is_skipped(name)) {
        listing.folders.emplace_back(name);
      }
    });
    if (!is_all) {
      examine(errno, path);
    }
    return listing;
  }

  /// What is not there or not for us is passed over. Without what a broken disk or a lack of descriptors keeps back, a
  /// language would be missing for no reason that anybody sees.
  void examine(int failure, const std::string& path) {
    const bool is_ours = failure == EIO || failure == EMFILE || failure == ENFILE || failure == ENOMEM;
    if (is_ours && !m_failure) {
      m_failure = Error::from_errno(failure, "reading '" + path + "' to detect what the project needs");
    }
  }

  void note(const Folder& folder, const std::string& path) {
    // Before reading: a change while we read then shows up as a newer time.
    if (const auto mtime = folder.mtime()) {
      m_found.seen.push_back({path.empty() ? "." : path.substr(0, path.size() - 1), *mtime});
    }
  }

  void look_at(const Folder& folder, const std::string& path, const Candidate& file) {
    const bool has_versions =
        std::ranges::any_of(file.rules, [&](std::size_t rule) { return !m_matcher.rule(rule).version.empty(); });
    std::optional<Folder::Contents> contents;
    if (has_versions) {
      contents = folder.read(file.name.c_str(), k_largest_file);
      if (contents) {
        m_found.seen.push_back({path + file.name, contents->mtime_ns});
      } else {
        examine(errno, path + file.name);
        add_unread(path + file.name, "it cannot be read, or has more than 1 MB");
      }
    }
    for (const auto place : file.rules) {
      add(place, path + file.name, file.name, contents ? &contents->text : nullptr);
    }
  }

  void add(std::size_t place, const std::string& path, const std::string& name, const std::string* contents) {
    const auto& rule = m_matcher.rule(place);
    Finding finding{rule.layer, path, 0, name, "", rule.calls, place};
    if (contents != nullptr && !rule.version.empty()) {
      const auto written = find_version(name, *contents, rule.version);
      if (!written) {
        add_unread(path, written.error().message());
      } else if (*written) {
        finding.line = (*written)->line;
        finding.version = rule.is_minimum ? at_least((*written)->text) : (*written)->text;
        finding.what = rule.version == k_first_line ? name : name + ": " + rule.version;
      }
    }
    if (finding.calls || !finding.version.empty()) {
      m_found.findings.push_back(std::move(finding));
    }
  }

  static std::string at_least(const std::string& version) {
    const auto plain = plain_version(version);
    return plain ? ">=" + *plain : version;
  }

  void add_unread(const std::string& path, std::string why) {
    Unread unread{path, std::move(why)};
    if (m_found.unread.empty() || m_found.unread.back() != unread) { // two rules about one file
      m_found.unread.push_back(std::move(unread));
    }
  }

  const Matcher& m_matcher;
  const Options& m_options;
  PendingFolders& m_pending;
  std::vector<char> m_buffer;
  Detection m_found;
  std::optional<Error> m_failure;
};

void append(Detection& all, Detection more) {
  std::ranges::move(more.findings, std::back_inserter(all.findings));
  std::ranges::move(more.seen, std::back_inserter(all.seen));
  std::ranges::move(more.unread, std::back_inserter(all.unread));
}

/// In an order that does not depend on who read what.
void settle(Detection& detection) {
  auto& findings = detection.findings;
  std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    const auto depth_a = depth_of(a.file);
    const auto depth_b = depth_of(b.file);
    return std::tie(depth_a, a.file, a.layer, a.line, a.version, a.rule) <
           std::tie(depth_b, b.file, b.layer, b.line, b.version, b.rule);
  });
  drop_repeats(findings);
  std::ranges::sort(detection.seen, {}, &Seen::path);
  std::ranges::sort(detection.unread, {}, &Unread::file);
}

/// Lets other threads read pending folders while `own` does. One that cannot be started is not missed.
void read_together(Walk& own, std::vector<Walk>& others) {
  std::vector<std::jthread> threads;
  try {
    for (auto& other : others) {
      threads.emplace_back([&other] { other.run(); });
    }
  } catch (const std::system_error&) {
    // as many as there are
  }
  own.run();
}

} // namespace

Result<Detection> detect(const std::string& root, std::span<const Rule> rules, const Options& options) {
  auto folder = Folder::open(root);
  if (!folder) {
    return Error::from_errno(errno, "reading directory '" + root + "'");
  }
  const Matcher matcher(rules);
  PendingFolders pending;
  Walk own(matcher, options, pending);
  own.begin(std::move(*folder));
  own.run(k_folders_alone);
  std::vector<Walk> others;
  if (pending.size() > 0) {
    const auto more = std::clamp(std::thread::hardware_concurrency(), 1U, k_most_threads) - 1;
    others.reserve(more);
    for (unsigned i = 0; i < more; ++i) {
      others.emplace_back(matcher, options, pending);
    }
    read_together(own, others);
  }
  if (own.failure()) {
    return *own.failure();
  }
  auto detection = own.take();
  for (auto& other : others) {
    if (other.failure()) {
      return *other.failure();
    }
    append(detection, other.take());
  }
  settle(detection);
  return detection;
}

std::vector<Finding> versions_for(const Detection& detection, std::string_view layer) {
  std::vector<Finding> versions;
  std::ranges::copy_if(detection.findings, std::back_inserter(versions),
                       [layer](const Finding& finding) { return finding.layer == layer && !finding.version.empty(); });
  std::ranges::stable_sort(versions, {},
                           [](const Finding& finding) { return std::pair(depth_of(finding.file), finding.rule); });
  return versions;
}

} // namespace sheaf::detect
