// SPDX-License-Identifier: Apache-2.0
#pragma once

// The `config` part of an OCI image configuration, with the fields that Docker adds to it (Healthcheck, OnBuild,
// Shell). Source: OCI image-spec, config.md; Docker image specification 1.3.

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

/// The JSON text that the spec describes, keys sorted, without created and rootfs.
std::string serialise(const Image& image);
/// `corrupt` if the text is not an image configuration. Unknown fields are ignored.
Result<Image> parse_image(std::string_view json);

} // namespace sheaf::oci
