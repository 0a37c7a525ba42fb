// SPDX-License-Identifier: Apache-2.0
#pragma once

// The index of an OCI layout and the names in it. Source: OCI image-spec, image-layout.md, annotations.md; containerd's
// name annotation, which docker and BuildKit read.

#include "oci/manifest.hpp"

#include <string>
#include <vector>

namespace sheaf::image {

inline constexpr std::string_view k_layout_file = R"({"imageLayoutVersion":"1.0.0"})";

/// "docker.io/library/app:1" → "1"; a text without a colon after its last slash is its own tag.
std::string tag_of(const std::string& name);
/// What an entry of an index is called: full names, else a tag; may be none.
std::vector<std::string> names_of(const oci::Descriptor& entry);
/// Adds one entry per name, or one without; entries of the same name, or of the same manifest without a name, go.
void add_named(oci::Index& index, const oci::Descriptor& manifest, const std::vector<std::string>& names);

} // namespace sheaf::image
