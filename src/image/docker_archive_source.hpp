// SPDX-License-Identifier: Apache-2.0
#pragma once

// An image of a docker archive that is unpacked in a directory: a configuration and plain tars as layers, named by
// manifest.json. It has no manifest as registries know it, so one is made up. Source: Docker image specification 1.2.

#include "image/image_source.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sheaf::image {

/// One image of manifest.json; paths are relative to the archive.
struct DockerArchiveEntry {
  std::string config;
  std::vector<std::string> names;
  /// Bottom first.
  std::vector<std::string> layers;
};

/// `corrupt` says what is wrong with a manifest.json.
Result<std::vector<DockerArchiveEntry>> parse_docker_archive(std::string_view json);

/// Reads every layer once, for its digest.
Result<std::unique_ptr<ImageSource>> docker_archive_source(std::string name, const std::string& directory,
                                                           const DockerArchiveEntry& entry);

} // namespace sheaf::image
