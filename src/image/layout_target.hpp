// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes OCI layouts: into a directory, whose other images stay, or as a tar. Source: OCI image-spec, image-layout.md.

#include "image/image_target.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sheaf::image {

/// `names` ("docker.io/library/app:1") become annotations of the index: the tag as org.opencontainers.image.ref.name,
/// the name as io.containerd.image.name; an image of the same name is replaced in the index. Empty: no name.
Result<std::unique_ptr<ImageTarget>> open_layout_directory(const std::string& path, std::vector<std::string> names);
/// To `path`, which appears when finished, or "-" for standard output.
Result<std::unique_ptr<ImageTarget>> open_layout_tar(const std::string& path, std::vector<std::string> names);

/// A docker archive (`docker load`, `podman load`). Export to it with Compression::none. Several images may be put
/// before finish(); `names` are those of the first.
Result<std::unique_ptr<ImageTarget>> open_docker_archive(const std::string& path, std::vector<std::string> names);

} // namespace sheaf::image
