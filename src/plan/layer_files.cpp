// SPDX-License-Identifier: Apache-2.0
#include "plan/layer_files.hpp"

#include <algorithm>
#include <set>

#include "context/ignore_patterns.hpp"

namespace sheaf::plan {
namespace {

/// The pattern without the "/./" that --parents may have in it.
std::string without_pivot(const std::string& pattern) {
  const auto pivot = pattern.find("/./");
  return pivot == std::string::npos ? pattern : pattern.substr(0, pivot) + pattern.substr(pivot + 2);
}

bool is_context(const Source& source) { return source.kind == Source::Kind::context; }

bool mounts_file(const Mount& mount, const std::string& path) {
  const auto* bind = std::get_if<BindMountSource>(&mount.what);
  return bind != nullptr && is_context(bind->from) && (bind->path == "/" || names_file(bind->path.substr(1), path));
}

} // namespace

bool names_file(const std::string& pattern, const std::string& path) {
  const auto plain = without_pivot(pattern);
  if (plain == ".") {
    return true;
  }
  for (auto end = path.find('/');; end = path.find('/', end + 1)) {
    const auto part = path.substr(0, end);
    if (part == plain || context::matches_wildcard(plain, part).value_or(false)) {
      return true;
    }
    if (end == std::string::npos) {
      return false;
    }
  }
}

std::vector<std::string> files_named_by(const std::vector<Step>& steps) {
  std::set<std::string> paths;
  for (const auto& step : steps) {
    if (const auto* copy = std::get_if<CopyStep>(&step.action); copy != nullptr && is_context(copy->from)) {
      for (const auto& source : copy->sources) {
        if (const auto* path = std::get_if<PathSource>(&source)) {
          paths.insert(path->path);
        }
      }
    } else if (const auto* run = std::get_if<RunStep>(&step.action)) {
      for (const auto& mount : run->mounts) {
        const auto* bind = std::get_if<BindMountSource>(&mount.what);
        if (bind != nullptr && is_context(bind->from)) {
          paths.insert(bind->path == "/" ? "." : bind->path.substr(1));
        }
      }
    }
  }
  return {paths.begin(), paths.end()};
}

bool reads_file(const Step& step, const std::string& path) {
  if (const auto* copy = std::get_if<CopyStep>(&step.action)) {
    return is_context(copy->from) && std::ranges::any_of(copy->sources, [&](const auto& source) {
             const auto* pattern = std::get_if<PathSource>(&source);
             return pattern != nullptr && names_file(pattern->path, path);
           });
  }
  const auto* run = std::get_if<RunStep>(&step.action);
  return run != nullptr &&
         std::ranges::any_of(run->mounts, [&](const auto& mount) { return mounts_file(mount, path); });
}

} // namespace sheaf::plan
