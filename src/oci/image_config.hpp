// SPDX-License-Identifier: Apache-2.0
#pragma once

// The `config` part of an OCI image configuration, with the fields that Docker adds to it (Healthcheck, OnBuild,
// Shell). Source: OCI image-spec, config.md; Docker image specification 1.3.

#include "base/digest.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::oci {

struct Healthcheck {
  /// {"NONE"}, {"CMD", args…} or {"CMD-SHELL", command}.
  std::vector<std::string> test;
  /// Nanoseconds; 0 where nothing was said.
  std::int64_t interval = 0;
  std::int64_t timeout = 0;
  std::int64_t start_period = 0;
  std::int64_t start_interval = 0;
  int retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

struct ImageConfig {
  std::string user;
  /// "80/tcp"
  std::set<std::string> exposed_ports;
  /// In the order in which the variables were first set.
  std::vector<std::pair<std::string, std::string>> environment;
  /// Nothing: not said, the inherited one is gone.
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> command;
  std::set<std::string> volumes;
  std::string directory;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> shell;
  std::vector<std::string> on_build;
  bool operator==(const ImageConfig&) const = default;
};

/// One line of an image's history.
struct History {
  std::string created_by;
  std::string comment;
  bool empty_layer = false;
  bool operator==(const History&) const = default;
};

/// What an image says of itself, without its layers.
struct Image {
  std::string os = "linux";
  /// As GOARCH has it: "amd64", "arm64".
  std::string architecture;
  std::string variant;
  std::string author;
  ImageConfig config;
  std::vector<History> history;
  bool operator==(const Image&) const = default;
};

/// The value of a variable; nothing if it is not set.
std::optional<std::string> variable(const ImageConfig& config, std::string_view name);
/// Sets a variable, in its old place if it has one.
void set_variable(ImageConfig& config, const std::string& name, const std::string& value);

/// What a complete configuration has besides `Image`.
struct RootFs {
  /// Seconds since 1970.
  std::int64_t created = 0;
  /// Digests of the layers' tars, bottom first.
  std::vector<Digest> diff_ids;
  bool operator==(const RootFs&) const = default;
};

/// The JSON text that the spec describes, keys sorted, without created and rootfs.
std::string serialise(const Image& image);
/// `corrupt` if the text is not an image configuration. Unknown fields are ignored.
Result<Image> parse_image(std::string_view json);

/// The complete configuration, keys sorted. The history gets as many lines with a layer as there are layers, for
/// readers count them.
std::string serialise(const Image& image, const RootFs& root);
/// `created` (0 if not said or not a time) and the layers of a complete configuration. `corrupt` without rootfs.
Result<RootFs> parse_root_fs(std::string_view json);
/// "2024-01-31T23:59:59Z" for seconds since 1970.
std::string format_time(std::int64_t seconds);
/// Fractions of seconds are left out; nothing if it is not a time of RFC 3339.
std::optional<std::int64_t> parse_time(std::string_view text);

} // namespace sheaf::oci
