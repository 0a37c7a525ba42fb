// SPDX-License-Identifier: Apache-2.0
#include "builder/snapshot.hpp"

#include "layer/parent_view.hpp"
#include "os/file.hpp"
#include "os/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::builder {
namespace {

/// The path as a pattern that matches it alone.
std::string literal(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) {
      pattern += '\\';
    }
    pattern += c;
  }
  return pattern;
}

void add_rules(std::vector<CaptureRule>& rules, const std::string& path) {
  if (path.empty()) { // the root: everything
    rules.push_back({"*", "keep", "named by SNAPSHOT"});
    rules.push_back({"*/**", "keep", "named by SNAPSHOT"});
    return;
  }
  rules.push_back({literal(path), "keep", "named by SNAPSHOT"});
  rules.push_back({literal(path) + "/**", "keep", "named by SNAPSHOT"});
}

/// Mounted in every sandbox: what a build finds there is never in its tree.
bool is_mounted(const std::string& path) {
  constexpr std::array<std::string_view, 3> k_mounted = {"dev", "proc", "sys"};
  return std::ranges::any_of(k_mounted, [&](std::string_view folder) {
    return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
  });
}

} // namespace

Result<void> check_snapshot(const plan::SnapshotStep& snapshot, const std::vector<std::string>& trees) {
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(trees));
  const auto refused = [&] {
    return Error(ErrorCode::invalid, fmt::format("'{}' is mounted by the sandbox and cannot be kept", snapshot.path))
        .with_hint("name a path outside of /dev, /proc and /sys");
  };
  if (is_mounted(os::clean_relative(snapshot.path))) {
    return refused();
  }
  const auto there = view.root() ? os::resolve_in_root(view.root(), snapshot.path, os::Missing::fails)
                                 : Result<os::ResolvedPath>(Error(ErrorCode::not_found, "the root is empty"));
  if (there && is_mounted(there->path)) {
    return refused();
  }
  if (!there && there.error().code() == ErrorCode::not_found) {
    return Error(ErrorCode::not_found, fmt::format("there is no '{}' to keep", snapshot.path))
        .with_hint("make it in an instruction above SNAPSHOT, or correct the path");
  }
  return there ? Result<void>() : Result<void>(Error(there.error()));
}

Result<std::vector<CaptureRule>> snapshot_rules(const std::vector<plan::Step>& steps,
                                                const std::vector<std::string>& trees) {
  std::vector<std::string> paths;
  for (const auto& step : steps) {
    if (const auto* snapshot = std::get_if<plan::SnapshotStep>(&step.action)) {
      paths.push_back(snapshot->path);
    }
  }
  std::vector<CaptureRule> rules;
  if (paths.empty()) {
    return rules;
  }
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(trees));
  for (const auto& path : paths) {
    const auto written = os::clean_relative(path);
    SHEAF_TRY_ASSIGN(const auto real, os::resolve_in_root(view.root(), path, os::Missing::is_kept));
    add_rules(rules, written);
    if (real.path != written) {
      add_rules(rules, real.path);
    }
  }
  return rules;
}

} // namespace sheaf::builder
