// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is said of an image beside it in its registry: bills of materials, inventory, provenance. Each is a manifest
// that refers to the image's. Source: OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"; SLSA provenance
// v1.

#include "app/build_stack.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "store/image_record.hpp"

#include <string>
#include <vector>

namespace sheaf::app {

struct Attestation {
  std::string media_type;
  std::string text;
};

/// SPDX, CycloneDX, inventory and provenance of the image whose manifest was pushed. Deterministic.
Result<std::vector<Attestation>> attestations_of(const store::ImageRecord& image, const oci::Reference& name,
                                                 const Digest& manifest, const Session& session);

/// Puts them beside the image; gives the digests of their manifests.
Result<std::vector<Digest>> push_attestations(registry::Client& client, const oci::Reference& to,
                                              const oci::Descriptor& manifest, const store::ImageRecord& image,
                                              const Session& session);

} // namespace sheaf::app
