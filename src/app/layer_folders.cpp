// SPDX-License-Identifier: Apache-2.0
#include "app/layer_folders.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <optional>
#include <thread>
#include <utility>

namespace sheaf::app {
namespace {

namespace cat = catalogue;

/// A layer folder has a handful of files; more is a folder that is no layer.
constexpr std::size_t k_most_files = 1000;
/// Fewer folders are read before a second thread has started.
constexpr std::size_t k_folders_alone = 32;
constexpr unsigned k_most_threads = 4;

using Files = std::map<std::string, std::string>;

/// What will be one layer.
struct Candidate {
  std::string name;
  std::string path;
  bool is_folder = true;
};

/// What became of it.
struct Read {
  std::optional<cat::LayerDefinition> layer;
  std::vector<std::string> inputs;
  Diagnostics diagnostics;
};

Result<void> read_files(const std::string& folder, const std::string& prefix, Files& files,
                        std::vector<std::string>& inputs) {
  inputs.push_back(folder);
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (const auto& entry : entries) {
    const auto path = folder + "/" + entry.name;
    if (entry.type == DT_DIR) {
      SHEAF_TRY(read_files(path, prefix + entry.name + "/", files, inputs));
      continue;
    }
    // A link could carry any file of the machine into a layer, and a pipe would never end.
    if (entry.type != DT_REG) {
      return Error(ErrorCode::invalid, fmt::format("'{}' is no regular file; a layer is made of plain files", path));
    }
    if (files.size() >= k_most_files) {
      return Error(ErrorCode::invalid, fmt::format("'{}' has more than {} files", folder, k_most_files));
    }
    inputs.push_back(path);
    SHEAF_TRY_ASSIGN(files[prefix + entry.name], os::read_file(path));
  }
  return {};
}

Result<Read> read(const Candidate& candidate, cat::Origin origin, const std::string& root) {
  Read result;
  Files files;
  if (candidate.is_folder) {
    SHEAF_TRY(read_files(candidate.path, "", files, result.inputs));
  } else {
    result.inputs.push_back(candidate.path);
    SHEAF_TRY_ASSIGN(files[candidate.path.substr(candidate.path.rfind('/') + 1)], os::read_file(candidate.path));
  }
  result.layer = cat::layer_from_files(candidate.name, origin, display_path(candidate.path, root), std::move(files),
                                       result.diagnostics);
  return result;
}

std::vector<Candidate> candidates_in(const std::string& folder, const std::vector<os::DirectoryEntry>& entries) {
  std::vector<Candidate> candidates;
  for (const auto& entry : entries) {
    auto path = folder + "/" + entry.name;
    if (entry.type == DT_DIR || (entry.type != DT_REG && os::is_directory(path))) {
      candidates.push_back({entry.name, std::move(path), true});
    } else if (auto layer = cat::layer_name_of_containerfile(entry.name)) {
      candidates.push_back({std::move(*layer), std::move(path), false});
    }
  }
  return candidates;
}

/// Several threads take one candidate after the other; each writes the places of its own.
std::vector<std::optional<Result<Read>>> read_all(const std::vector<Candidate>& candidates, cat::Origin origin,
                                                  const std::string& root) {
  std::vector<std::optional<Result<Read>>> results(candidates.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (auto i = next++; i < candidates.size(); i = next++) {
      results[i].emplace(read(candidates[i], origin, root));
    }
  };
  const auto wanted = candidates.size() / k_folders_alone;
  const auto most = std::clamp(std::thread::hardware_concurrency(), 1U, k_most_threads) - 1;
  std::vector<std::jthread> others;
  others.reserve(most);
  for (std::size_t i = 0; i < std::min<std::size_t>(wanted, most); ++i) {
    others.emplace_back(work);
  }
  work();
  others.clear(); // joins them
  return results;
}

} // namespace

Result<LayerFolders> read_layer_folders(const std::string& folder, cat::Origin origin, const std::string& root) {
  LayerFolders found;
  found.inputs.push_back(folder);
  if (!os::is_directory(folder)) {
    return found;
  }
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (auto& result : read_all(candidates_in(folder, entries), origin, root)) {
    SHEAF_TRY_ASSIGN(auto one, std::move(*result));
    std::ranges::move(one.inputs, std::back_inserter(found.inputs));
    for (const auto& diagnostic : one.diagnostics.all()) {
      found.diagnostics.add(diagnostic);
    }
    if (one.layer) {
      found.layers.push_back(std::move(*one.layer));
    }
  }
  return found;
}

Result<std::optional<std::string>> read_plain_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is no plain file", path));
  }
  return os::read_file_if_exists(path);
}

std::string display_path(const std::string& path, const std::string& root) {
  return path.starts_with(root + "/") ? path.substr(root.size() + 1) : path;
}

} // namespace sheaf::app
