// SPDX-License-Identifier: Apache-2.0
#pragma once

// The steps of an image's build as one object that a cache holds: an OCI manifest whose config lists steps by key with
// their records, and whose layers are the trees of those that have one there (the same blobs that images have).
// Form: docs/formats/step-cache.md.

#include "image/image_source.hpp"
#include "image/image_target.hpp"
#include "image/layer_blob.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::cache {

namespace media_type {
inline constexpr const char* k_steps = "application/vnd.sheaf.steps.v1";
inline constexpr const char* k_step_list = "application/vnd.sheaf.steps.list.v1+json";
} // namespace media_type

struct StepEntry {
  Digest key;
  store::StepRecord record;
  /// Where its tree is; nothing: it is not there, and the record says only what would be in it.
  std::optional<store::BlobRecord> blob;
  /// What packed it, as Blobs::save_record wants it; may be empty.
  std::string encoder;
  bool operator==(const StepEntry&) const = default;
};

struct StepList {
  /// In the order in which they were built.
  std::vector<StepEntry> steps;
  /// Digests of selections of files, by name of state and selection.
  std::map<Digest, Digest> selections;
  bool operator==(const StepList&) const = default;
};

/// The config of the object: blobs by digest and `diff_id`; size and media type stand in the manifest.
std::string serialise(const StepList& list);
/// `layers` are those of the manifest. `corrupt` if the text is no list, or names a blob that is no layer there.
Result<StepList> parse_step_list(std::string_view text, const std::vector<oci::Descriptor>& layers);

struct PutSteps {
  oci::Manifest manifest;
  /// Bytes of blobs that the target did not have.
  std::uint64_t bytes = 0;
};

/// Puts the list and the trees of `with_tree`, whose `folder()`s say which are wanted, into the target; a tree that is
/// not in the store is taken over if the target has the entry's blob, else left out. The manifest is the caller's to
/// put.
Result<PutSteps> put_steps(StepList list, const std::vector<std::string>& with_tree, const image::LayerWish& wish,
                           image::ImageTarget& target, store::Store& store, const std::stop_token& stop);

/// `unsupported` if something else is there; `not_found`; `corrupt`.
Result<StepList> get_steps(image::ImageSource& source, const std::stop_token& stop);

/// Brings the tree of an entry into the store, under its key. `corrupt` if it is not the tree that the record says:
/// nothing of it is kept then. `unsupported` for device nodes that this user cannot make.
Result<void> get_tree(const StepEntry& entry, image::ImageSource& source, store::Store& store,
                      const std::stop_token& stop);

} // namespace sheaf::cache
