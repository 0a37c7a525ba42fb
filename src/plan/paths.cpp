// SPDX-License-Identifier: Apache-2.0
#include "plan/paths.hpp"

#include "base/text.hpp"

namespace sheaf::plan {

std::string clean_path(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto part : split(path, '/')) {
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.emplace_back(part);
    }
  }
  return "/" + joined(parts, "/");
}

std::string path_in(std::string_view directory, std::string_view path) {
  return clean_path(path.starts_with('/') ? std::string(path) : std::string(directory) + "/" + std::string(path));
}

std::string destination_in(std::string_view directory, std::string_view path) {
  const auto clean = path_in(directory, path);
  const bool is_directory = path.empty() || path == "." || path.ends_with('/') || path.ends_with("/.");
  return is_directory && clean != "/" ? clean + "/" : clean;
}

std::string relative_path(std::string_view path) {
  auto clean = clean_path(path).substr(1);
  return clean.empty() ? "." : clean;
}

} // namespace sheaf::plan
