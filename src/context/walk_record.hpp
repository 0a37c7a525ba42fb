// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a walk of a selection met, in one file: the folders it looked into and the entries it took, with their stamps,
// and the digest. If all stamps are as they were, so is the digest, and nothing has to be listed, matched or hashed.
//
//   header   magic, checksum of all that follows, numbers of folders and entries, digest of the sources, digest
//   folders  stamp, path, whether it was listed, which entries
//   entries  stamp, name
//   names    paths and names, each with a zero byte
//
// A walk is recorded only where a stamp is a proof: nothing may have changed shortly before the walk began (racy
// timestamps), and all must lie on one file system that is known to stamp a folder when a name in it comes or goes.

#include "base/digest.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "context/content_digest.hpp"
#include "context/selection.hpp"

namespace sheaf::context {

struct RecordedWalk {
  /// What find_sources gave, and with it whatever else decides about the selection and the digest.
  Digest sources;
  std::vector<SelectedSource> selected;
  StampedDigest digest;
  /// When the walk began, before anything was looked at; nanoseconds.
  std::int64_t begin = 0;
};

/// Of a walk of `tree`. Leaves no file where stamps prove nothing.
Result<void> record_walk(const std::string& file, const os::Fd& tree, const RecordedWalk& walk);

/// The recorded digest, if a walk with the same `sources` would give it now; one stat for each entry. Nothing if
/// anything has changed, or if there is no record.
std::optional<Digest> recorded_digest(const std::string& file, const os::Fd& tree, const Digest& sources);

} // namespace sheaf::context
