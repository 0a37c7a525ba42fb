// SPDX-License-Identifier: Apache-2.0
#pragma once

// What becomes of the versions that a project's files ask for: handed to the layer, met by what it brings, or neither.
// Pure; used by `app/`.

#include "catalogue/layer_definition.hpp"
#include "detect/detect.hpp"
#include "resolve/resolve.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::resolve {

/// By layer, then by argument: the same as `plan::ArgValues`.
using Args = std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>>;

/// One layer's.
struct VersionChoice {
  std::string layer;
  /// All that was found about it, what counts most first; never empty.
  std::vector<detect::Finding> asked;
  /// Place in `asked` of the one that is followed: the first that is a range, else the first. Others are met along with
  /// it where that is possible.
  std::size_t followed = 0;
  /// For the layer's argument `version`; nothing if it has none, was set, or its default will do.
  std::optional<std::string> argument;
  /// What the layer will install; empty if it does not say.
  std::string brings;
  /// For people, each a whole message: what is not met, what disagrees.
  std::vector<std::string> warnings;
};

/// `asked` is as in `VersionChoice`; `set` is the value of the argument `version` that the settings say.
VersionChoice choose_version(const catalogue::LayerDefinition& layer, std::vector<detect::Finding> asked,
                             const std::optional<std::string>& set);

/// The choice of each layer of `stack` that a file asks a version of, in the order of the stack.
std::vector<VersionChoice> choose_versions(const Stack& stack, const detect::Detection& detection, const Args& args);

/// `args` with the arguments that were chosen.
Args with_versions(Args args, const std::vector<VersionChoice>& choices);

/// "package.json:5", or the file alone.
std::string place(const detect::Finding& finding);

} // namespace sheaf::resolve
