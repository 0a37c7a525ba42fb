// SPDX-License-Identifier: Apache-2.0
#include "context/selection.hpp"

#include "base/suggest.hpp"
#include "os/file.hpp"
#include "os/resolve.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "context/glob.hpp"

namespace sheaf::context {
namespace {

using os::Fd;

std::string joined_path(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_absence(const Error& error) { return error.code() == ErrorCode::not_found || error.errno_value() == ENOTDIR; }

Result<unsigned char> type_at(const Fd& tree, const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd entry, os::open_beneath(tree, path.empty() ? "." : path, O_PATH | O_NOFOLLOW));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(entry));
  return static_cast<unsigned char>(IFTODT(info.st_mode));
}

/// What is in folder `path`, with types.
Result<std::vector<os::DirectoryEntry>> list(const Fd& tree, const std::string& path) {
  const auto doing = [&path] { return fmt::format("reading folder '{}'", path.empty() ? "." : path); };
  auto folder = os::open_beneath(tree, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!folder) {
    return std::move(folder).error().with_context(doing());
  }
  auto entries = os::list_directory(*folder);
  if (!entries) {
    return std::move(entries).error().with_context(doing());
  }
  for (auto& entry : *entries) {
    if (entry.type == DT_UNKNOWN) {
      SHEAF_TRY_ASSIGN(entry.type, type_at(tree, joined_path(path, entry.name)).context(doing()));
    }
  }
  return entries;
}

/// Collects what one directory gives.
class Walk {
public:
  Walk(const Fd& tree, const IgnorePatterns& ignore, const IgnorePatterns& excludes, const Glob* include)
      : m_tree(tree), m_ignore(ignore), m_excludes(excludes), m_include(include) {}

  Result<void> folder(const std::string& source, const std::string& name, SelectedSource& out) {
    SHEAF_TRY_ASSIGN(const auto entries, list(m_tree, source));
    for (const auto& entry : entries) {
      if (entry.type != DT_SOCK) {
        SHEAF_TRY(visit({joined_path(source, entry.name), joined_path(name, entry.name), entry.type, false}, out));
      }
    }
    return {};
  }

private:
  Result<void> visit(SelectedEntry entry, SelectedSource& out) {
    const bool visible = m_ignore.empty() || !m_ignore.excludes(entry.source);
    const bool included = m_include == nullptr || m_include->matches_with_parents(entry.name);
    const bool excluded = !m_excludes.empty() && m_excludes.excludes(entry.name);
    const bool taken = visible && included && !excluded;
    if (entry.type != DT_DIR) {
      if (taken) {
        take(std::move(entry), out.entries);
      }
      return {};
    }
    if ((!visible && !m_ignore.may_except_below(entry.source)) ||
        (!included && !m_include->may_match_below(entry.name)) ||
        (excluded && !m_excludes.may_except_below(entry.name))) {
      return {};
    }
    const auto source = entry.source;
    const auto name = entry.name;
    entry.is_parent = !included || excluded;
    if (taken) {
      take(std::move(entry), out.entries);
    } else {
      m_pending.push_back(std::move(entry));
    }
    SHEAF_TRY(folder(source, name, out));
    if (!m_pending.empty() && m_pending.back().name == name) {
      m_pending.pop_back(); // nothing in it was taken
      out.folders_without_entry.push_back(source);
    }
    return {};
  }

  void take(SelectedEntry entry, std::vector<SelectedEntry>& out) {
    std::move(m_pending.begin(), m_pending.end(), std::back_inserter(out));
    m_pending.clear();
    out.push_back(std::move(entry));
  }

  const Fd& m_tree;
  const IgnorePatterns& m_ignore;
  const IgnorePatterns& m_excludes;
  const Glob* m_include;
  /// Folders that are taken as soon as something in them is.
  std::vector<SelectedEntry> m_pending;
};

/// Where a source is: `path` with all links followed, `name` as it was asked for.
struct Place {
  std::string path;
  std::string name;
  unsigned char type = 0;
};

class Selector {
public:
  static Result<Selector> create(const Fd& tree, const Selection& selection, const IgnorePatterns* ignore) {
    static const IgnorePatterns k_nothing;
    SHEAF_TRY_ASSIGN(auto excludes, IgnorePatterns::from_list(selection.excludes).context("reading --exclude"));
    return Selector(tree, selection, ignore != nullptr ? *ignore : k_nothing, std::move(excludes));
  }

  Result<std::vector<FoundSource>> find() {
    for (const auto& source : m_selection.sources) {
      SHEAF_TRY(m_selection.parents ? with_parents(source) : plain(source));
    }
    return std::move(m_found);
  }

  Result<std::vector<SelectedSource>> take(const std::vector<FoundSource>& found) {
    for (const auto& source : found) {
      SHEAF_TRY(add(source));
    }
    return std::move(m_result);
  }

private:
  Selector(const Fd& tree, const Selection& selection, const IgnorePatterns& ignore, IgnorePatterns excludes)
      : m_tree(tree), m_selection(selection), m_ignore(ignore), m_excludes(std::move(excludes)) {}

  /// Names what lies beside it and is called nearly so.
  Error missing(const std::string& path) const {
    std::vector<std::string> names;
    const auto slash = path.rfind('/');
    const auto folder =
        os::resolve_in_root(m_tree, slash == std::string::npos ? "" : path.substr(0, slash), os::Missing::fails);
    if (const auto entries = folder ? list(m_tree, folder->path) : folder.error()) {
      for (const auto& entry : *entries) {
        names.push_back(entry.name);
      }
    }
    const auto near = did_you_mean(base_name(path), names);
    return Error(ErrorCode::not_found, fmt::format("there is no '/{}' to copy", path))
        .with_hint((near.empty() ? near : near + " ") +
                   "sources are looked up from the top of what is copied from, the build context or --from");
  }
  static Error ignored(const std::string& path) {
    return Error(ErrorCode::not_found, fmt::format("'/{}' is there, but the ignore file excludes it", path))
        .with_hint(fmt::format("remove the pattern from .dockerignore or add the line '!{}' at its end", path));
  }

  bool is_ignored(const std::string& path) const { return !path.empty() && m_ignore.excludes(path); }

  Result<Place> place(const std::string& path) const {
    auto found = os::resolve_in_root(m_tree, path, os::Missing::fails);
    auto type = found ? type_at(m_tree, found->path) : Result<unsigned char>(found.error());
    if (!type) {
      return is_absence(type.error()) ? missing(path) : std::move(type).error();
    }
    for (const auto& link : found->links) {
      if (is_ignored(link)) {
        return ignored(link);
      }
    }
    if (is_ignored(found->path) && (*type != DT_DIR || !m_ignore.may_except_below(found->path))) {
      return ignored(path);
    }
    return Place{found->path, base_name(path), *type};
  }

  /// The places that `pattern` names: Go's filepath.Match for each component.
  Result<std::vector<Place>> places(const std::string& pattern) const {
    const auto path = os::clean_relative(pattern);
    std::string fixed;
    std::size_t at = 0;
    while (at < path.size()) {
      const auto end = std::min(path.find('/', at), path.size());
      if (has_wildcard(std::string_view(path).substr(at, end - at))) {
        break;
      }
      fixed = path.substr(0, end);
      at = end + 1;
    }
    SHEAF_TRY_ASSIGN(auto start, place(fixed));
    std::vector<Place> found;
    if (at >= path.size()) {
      found.push_back(std::move(start));
      return found;
    }
    if (start.type == DT_DIR) {
      SHEAF_TRY(match(start.path, std::string_view(path).substr(at), found));
    }
    return found;
  }

  Result<void> match(const std::string& folder, std::string_view pattern, std::vector<Place>& found) const {
    const auto slash = pattern.find('/');
    SHEAF_TRY_ASSIGN(const auto glob, Glob::compile(pattern.substr(0, slash), DoubleStar::is_star));
    SHEAF_TRY_ASSIGN(const auto entries, list(m_tree, folder));
    for (const auto& entry : entries) {
      if (!glob.matches(entry.name)) {
        continue;
      }
      const auto path = joined_path(folder, entry.name);
      if (is_ignored(path) && (entry.type != DT_DIR || !m_ignore.may_except_below(path))) {
        continue;
      }
      if (slash == std::string_view::npos) {
        SHEAF_TRY_ASSIGN(auto match, place(path));
        found.push_back(std::move(match));
      } else if (entry.type == DT_DIR) {
        SHEAF_TRY(match(path, pattern.substr(slash + 1), found));
      }
    }
    return {};
  }

  /// Adds what `found` gives.
  Result<void> add(const FoundSource& found) {
    SelectedSource source;
    source.pattern = found.pattern;
    if (found.type != DT_DIR) {
      if (found.type == DT_SOCK) {
        return Error(ErrorCode::unsupported, fmt::format("'/{}' is a socket, which cannot be copied", found.path));
      }
      if (m_excludes.excludes(found.name)) {
        return {};
      }
      source.entries.push_back({found.path, found.name, found.type, false});
      m_result.push_back(std::move(source));
      return {};
    }
    source.is_directory = true;
    source.entries.push_back({found.path, "", DT_DIR, false});
    std::optional<Glob> include;
    if (!found.below.empty()) {
      SHEAF_TRY_ASSIGN(include, Glob::compile(found.below, DoubleStar::crosses));
    }
    Walk walk(m_tree, m_ignore, m_excludes, include ? &*include : nullptr);
    SHEAF_TRY(walk.folder(found.path, "", source));
    if (source.entries.size() == 1 && is_ignored(found.path)) {
      return found.required ? Result<void>(ignored(found.path)) : Result<void>();
    }
    m_result.push_back(std::move(source));
    return {};
  }

  void remember(const std::string& pattern, const std::vector<Place>& places, const std::string& below, bool required) {
    for (const auto& place : places) {
      m_found.push_back({pattern, place.path, place.name, place.type, below, required});
    }
  }

  Result<void> plain(const std::string& pattern) {
    SHEAF_TRY_ASSIGN(const auto found, places(pattern));
    remember(pattern, found, "", !has_wildcard(pattern));
    return {};
  }

  /// `--parents`: what comes after the pivot "/./" is a pattern of its own and keeps its folders.
  Result<void> with_parents(const std::string& pattern) {
    const auto pivot = pattern.find("/./");
    const auto parent = pivot == std::string::npos ? std::string() : pattern.substr(0, pivot);
    const auto below = os::clean_relative(pivot == std::string::npos ? pattern : pattern.substr(pivot + 3));
    SHEAF_TRY_ASSIGN(const auto found, places(parent));
    if (below.empty()) {
      remember(pattern, found, "", !has_wildcard(pattern));
      return {};
    }
    if (!has_wildcard(parent) && !has_wildcard(below)) {
      SHEAF_TRY(place(joined_path(os::clean_relative(parent), below)));
    }
    remember(pattern, found, below, false);
    return {};
  }

  const Fd& m_tree;
  const Selection& m_selection;
  const IgnorePatterns& m_ignore;
  IgnorePatterns m_excludes;
  std::vector<FoundSource> m_found;
  std::vector<SelectedSource> m_result;
};

} // namespace

Result<std::vector<FoundSource>> find_sources(const Fd& tree, const Selection& selection,
                                              const IgnorePatterns* ignore) {
  SHEAF_TRY_ASSIGN(auto selector, Selector::create(tree, selection, ignore));
  return selector.find();
}

Result<std::vector<SelectedSource>> take(const Fd& tree, const Selection& selection, const IgnorePatterns* ignore,
                                         const std::vector<FoundSource>& found) {
  SHEAF_TRY_ASSIGN(auto selector, Selector::create(tree, selection, ignore));
  return selector.take(found);
}

Result<std::vector<SelectedSource>> select(const Fd& tree, const Selection& selection, const IgnorePatterns* ignore) {
  SHEAF_TRY_ASSIGN(auto selector, Selector::create(tree, selection, ignore));
  SHEAF_TRY_ASSIGN(const auto found, selector.find());
  return selector.take(found);
}

} // namespace sheaf::context
