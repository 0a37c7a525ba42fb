// SPDX-License-Identifier: Apache-2.0
#pragma once

// An environment as an image: one tree for each layer and one for the join, shared by every selection of the same
// layers. What it was made of stands in its labels.

#include "app/environment.hpp"
#include "store/image_record.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

/// Labels of images of environments.
namespace label {
/// Digest over the content keys of all layers, in order.
inline constexpr const char* k_identity = "sheaf.identity";
/// "base,python,codex"
inline constexpr const char* k_layers = "sheaf.layers";
/// "codex,opencode"; empty without agents.
inline constexpr const char* k_agents = "sheaf.agents";
} // namespace label

/// Pure but for SOURCE_DATE_EPOCH, which is when it was created; without, 1970, so that equal environments are equal
/// images.
Result<store::ImageRecord> image_of(const Environment& environment, const std::string& store_root);

struct StackImage {
  Digest id;
  /// "app:l2-cli"
  std::string name;
};
/// Keeps it in the store under the project's name, and the base under its own ("sheaf-l0:base"). `level`: of `stacks`;
/// its image is "app:k8s".
Result<StackImage> save_stack_image(const Environment& environment, store::Store& store,
                                    const std::optional<std::string>& level = std::nullopt);

/// The agents of an environment, sorted as they stand in its stack.
std::vector<std::string> agents_of(const Environment& environment);
/// Keeps the environment of base and agents alone under their name ("sheaf-l1-cli:base-codex").
Result<StackImage> save_agents_image(const Environment& environment, store::Store& store);

} // namespace sheaf::app
