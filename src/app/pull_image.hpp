// SPDX-License-Identifier: Apache-2.0
#pragma once

// The use cases `sheaf pull` and `sheaf import`: an image from elsewhere into the store, named.

#include "app/build_stack.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "store/image_record.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

struct Pulled {
  Digest id;
  store::ImageRecord record;
  /// As docker shows them.
  std::vector<std::string> names;
  /// Of the manifest or index that the name stands for.
  std::optional<Digest> manifest;
  std::uint64_t bytes_fetched = 0;
  /// Nothing had to be fetched.
  bool up_to_date = false;
};

/// From its registry. An image that is there already is only named again. `not_found`, `denied`, `network`, `corrupt`;
/// the store then has nothing of it.
Result<Pulled> pull_image(const std::string& name, const std::optional<oci::Platform>& platform,
                          const Session& session);

/// The same without giving the name to the image: what the name stands for here stays.
Result<Pulled> fetch_image(const oci::Reference& reference, const std::optional<oci::Platform>& platform,
                           const Session& session);

/// What the name stands for in its registry now: the digest of a manifest or index.
Result<Digest> digest_in_registry(const std::string& name, const Session& session);

/// What was pulled by this digest before, if it is in the store: "app@sha256:…" names an image or an index.
Result<std::optional<store::ImageRecord>>
find_pulled(const Digest& digest, const std::optional<oci::Platform>& platform, store::Store& store);

/// Whether it is for this platform; any is for nothing.
bool fits(const store::ImageRecord& record, const std::optional<oci::Platform>& platform);

/// An image of the store by name, id, or the digest by which it was pulled.
Result<std::optional<store::StoredImage>> find_stored(const std::string& name, store::Store& store);

/// All images of an OCI layout or docker archive, a directory or a tar; "-" is standard input. `name` is given to the
/// only image instead of those that the file has.
Result<std::vector<Pulled>> import_images(const std::string& file, const std::optional<std::string>& name,
                                          const std::optional<oci::Platform>& platform, const Session& session);

} // namespace sheaf::app
