// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a layer changes in the configuration of an environment (OCI image-spec, config.md, says what each part means).

#include <map>
#include <string>
#include <vector>

namespace sheaf {

struct ConfigDelta {
  /// Values after the layer; only variables it set or changed.
  std::map<std::string, std::string> environment;
  /// Empty where the layer says nothing.
  std::string user;
  std::string directory;
  std::vector<std::string> command;
  std::vector<std::string> entrypoint;
  std::vector<std::string> shell;
  std::map<std::string, std::string> labels;
  bool operator==(const ConfigDelta&) const = default;
};

} // namespace sheaf
