// SPDX-License-Identifier: Apache-2.0
#pragma once

// The images that a build starts from or copies from, or that are run: found in the store, pulled from a registry, or
// read from an OCI layout.

#include "app/build_stack.hpp"
#include "catalogue/project_config.hpp"
#include "store/image_record.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace sheaf::app {

/// How a name begins that stands for an OCI image layout on disk: "oci-layout://PATH[:TAG|@DIGEST]".
inline constexpr auto k_layout_scheme = catalogue::k_layout_scheme;

/// When a registry is asked.
enum class Pull {
  missing, ///< for what the store does not have
  always,  ///< whether the name stands for something newer
  never,
};

/// By name, id, or oci-layout://…; `not_found` says what could be meant.
Result<store::ImageRecord> find_image(const std::string& name, Pull when, const Session& session);

/// An image for every name of a plan (plan::PlatformImage). The first error, with its name.
Result<std::map<std::string, store::ImageRecord, std::less<>>> find_images(const std::set<std::string>& names,
                                                                           Pull when, const Session& session);

} // namespace sheaf::app
