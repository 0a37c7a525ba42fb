// SPDX-License-Identifier: Apache-2.0
#pragma once

// The complete configuration of an image: what it says of itself, when it was made and which layers it has. Source: OCI
// image-spec, config.md. Pure.

#include "base/digest.hpp"
#include "base/result.hpp"
#include "oci/image_config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::oci {

/// What a complete configuration has besides `Image`.
struct RootFs {
  /// Seconds since 1970.
  std::int64_t created = 0;
  /// Digests of the layers' tars, bottom first.
  std::vector<Digest> diff_ids;
  bool operator==(const RootFs&) const = default;
};

/// Keys sorted, no blanks. The history gets as many lines with a layer as there are layers, for readers count them.
std::string serialise(const Image& image, const RootFs& root);
/// `created` (0 if not said or no time) and the layers of a configuration; `corrupt` without rootfs.
Result<RootFs> parse_root_fs(std::string_view json);

/// "2024-01-31T23:59:59Z" for seconds since 1970.
std::string format_time(std::int64_t seconds);
/// Fractions of seconds are left out; nothing if it is no time of RFC 3339.
std::optional<std::int64_t> parse_time(std::string_view text);

} // namespace sheaf::oci
