// SPDX-License-Identifier: Apache-2.0
#pragma once

// An image in a registry as a source or target of images.

#include "image/image_source.hpp"
#include "image/image_target.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "store/store.hpp"

#include <memory>

namespace sheaf::app {

/// `client` and `store` must outlive it. Remembers in the store which blobs the repository has, for later mounts.
/// `name`: what it is called in messages, if not as `image`.
std::unique_ptr<image::ImageSource> registry_source(registry::Client& client, const oci::Reference& image,
                                                    store::Store& store, const std::string& name = {});
std::unique_ptr<image::ImageTarget> registry_target(registry::Client& client, const oci::Reference& image,
                                                    store::Store& store);

} // namespace sheaf::app
