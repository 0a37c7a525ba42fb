// SPDX-License-Identifier: Apache-2.0
#include "os/resolve.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>

namespace sheaf::os {
namespace {

/// As the kernel has it: path_resolution(7).
constexpr int k_most_links = 40;

void push_components(std::deque<std::string>& to, std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    if (end > at && path.substr(at, end - at) != ".") {
      parts.emplace_back(path.substr(at, end - at));
    }
    at = end + 1;
  }
  to.insert(to.begin(), parts.begin(), parts.end());
}

void drop_last(std::string& path) {
  const auto slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash);
}

std::string append(const std::string& path, const std::string& name) { return path.empty() ? name : path + "/" + name; }

Result<std::string> read_link(const Fd& link, const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const auto length = readlinkat(link.get(), "", target.data(), target.size());
  if (length < 0) {
    return Error::from_errno(errno, fmt::format("reading link '{}'", path));
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

} // namespace

Result<ResolvedPath> resolve_in_root(const Fd& root, const std::string& path, Missing missing) {
  ResolvedPath result;
  std::deque<std::string> rest;
  push_components(rest, path);
  while (!rest.empty()) {
    const auto name = std::move(rest.front());
    rest.pop_front();
    if (name == "..") {
      drop_last(result.path);
      continue;
    }
    auto next = append(result.path, name);
    const auto entry = open_beneath(root, next, O_PATH | O_NOFOLLOW);
    if (!entry) {
      if (entry.error().code() != ErrorCode::not_found || missing == Missing::fails) {
        return entry.error();
      }
      result.path = std::move(next);
      continue;
    }
    SHEAF_TRY_ASSIGN(const auto info, stat_of(*entry));
    if (!S_ISLNK(info.st_mode)) {
      result.path = std::move(next);
      continue;
    }
    if (result.links.size() >= k_most_links) {
      return Error::from_errno(ELOOP, fmt::format("following the links of '{}'", path))
          .with_hint("symbolic links lead to each other in a circle; remove or replace one of them");
    }
    SHEAF_TRY_ASSIGN(const auto target, read_link(*entry, next));
    result.links.push_back(std::move(next));
    if (target.starts_with('/')) {
      result.path.clear();
    }
    push_components(rest, target);
  }
  return result;
}

std::string clean_relative(std::string_view path) {
  std::deque<std::string> parts;
  push_components(parts, path);
  std::string clean;
  for (const auto& part : parts) {
    if (part == "..") {
      drop_last(clean);
    } else {
      clean = append(clean, part);
    }
  }
  return clean;
}

} // namespace sheaf::os
