// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Containerfile meant as an image, turned into what the builder carries out: the stages that the target needs, each
// with its steps and the configuration it ends with. Pure: nothing is read, nothing is run; the configurations of the
// images it is built on are an input (`images_of` says which are needed).

#include "base/diagnostics.hpp"
#include "containerfile/file.hpp"
#include "oci/image_config.hpp"
#include "plan/platform.hpp"
#include "plan/step.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sheaf::plan {

/// What the command line says.
struct ImageRequest {
  /// Of --build-arg; nothing as value: not set in the environment either, so as if it had not been given.
  std::map<std::string, std::optional<std::string>, std::less<>> build_args;
  /// A stage's name or number; empty for the last one.
  std::string target;
  /// Empty: the native one.
  std::optional<Platform> platform;
  std::vector<std::pair<std::string, std::string>> labels;
  /// Names of --build-context that are folders; those that are images stand in `image_contexts` with the image's name.
  std::set<std::string, std::less<>> folder_contexts;
  std::map<std::string, std::string, std::less<>> image_contexts;
  /// Of --network, for RUN without a flag of its own.
  Network network = Network::standard;
  /// --allow=security.insecure, --allow=network.host
  bool allow_insecure = false;
  bool allow_host_network = false;
  /// Steps of these stages (all, if `no_cache`) are carried out even if they were before.
  bool no_cache = false;
  std::set<std::string, std::less<>> no_cache_filter;
};

struct StagePlan {
  /// Its name, else its number.
  std::string name;
  /// What it starts from: `nothing` for scratch, a stage, an image or a named context.
  Source base;
  Platform platform;
  std::vector<Step> steps;
  /// What it ends with. The history goes on from that of the base; of its lines those that are not marked as empty
  /// belong to the steps, in order, but for SnapshotSteps, which have none.
  oci::Image image;
  bool no_cache = false;
  /// Places in `ImagePlan::stages` that must be there before it: of FROM, COPY --from and mounts.
  std::vector<std::size_t> needs;
};

struct ImagePlan {
  /// The stages that the target needs, in the order of the file; `Source::stage` and `needs` count in this list.
  std::vector<StagePlan> stages;
  /// Place of the target in `stages`.
  std::size_t target = 0;
};

/// The images that the plan will need: of FROM, COPY --from and mounts of the stages that the target needs, variables
/// expanded, named contexts replaced. ONBUILD of an image in `known` may need more stages, and with them more images:
/// ask again until nothing new comes. Mistakes go to `diagnostics`.
std::set<std::string> images_of(const containerfile::File& file, const ImageRequest& request,
                                const std::map<std::string, oci::Image>& known, Diagnostics& diagnostics);

/// `images` holds the configuration of every image of `images_of` by that name; for one that is only copied from it may
/// be missing. Reports all mistakes at once; nothing if there is any. Build arguments that no ARG takes are a warning.
std::optional<ImagePlan> plan_image(const containerfile::File& file, const ImageRequest& request,
                                    const std::map<std::string, oci::Image>& images, Diagnostics& diagnostics);

/// The images that the steps and bases of a plan read; ONBUILD of a base may have added some to those of the file.
std::set<std::string> images_of(const ImagePlan& plan);

/// For people and programs (`sheaf build --print`).
std::string to_json(const ImagePlan& plan);

} // namespace sheaf::plan
