// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a result is built for, in the words of Go and the OCI image-spec.

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::plan {

/// "linux/arm64/v8"
struct Platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant;
  std::string to_string() const;
  /// Knows the other names of architectures ("x86_64", "aarch64", "armhf") and leaves out a variant that says nothing
  /// ("arm64/v8"). `invalid` for anything that is not "os/architecture[/variant]" (or an architecture alone).
  static Result<Platform> parse(std::string_view text);
  bool operator==(const Platform&) const = default;
};

/// What this program was built for.
Platform native_platform();

/// An image as plans name it: alone if it is for the native platform, else "alpine for linux/arm64", so that one plan
/// can have it for several.
struct PlatformImage {
  std::string name;
  /// Nothing: the native one, or whatever there is.
  std::optional<Platform> platform = std::nullopt;
  std::string to_string() const;
  static PlatformImage parse(std::string_view text);
  bool operator==(const PlatformImage&) const = default;
};

} // namespace sheaf::plan
