// SPDX-License-Identifier: Apache-2.0
#pragma once

// The use case `sheaf build CONTEXT`: a Containerfile and its context to an image in the store, and from there to
// files.

#include "app/build_context.hpp"
#include "app/build_stack.hpp"
#include "app/image_bases.hpp"
#include "app/image_output.hpp"
#include "app/step_caches.hpp"
#include "plan/image_plan.hpp"
#include "sandbox/spec.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::app {

/// A secret or an agent's keys as the command line names them.
struct Lent {
  std::string id;
  /// Of a file or socket; empty if it is a variable of our environment.
  std::string path;
  std::string variable;
};

enum class OnFailure { report, shell };

/// What the command line says.
struct ImageBuild {
  ContextRequest where;
  plan::ImageRequest request;
  /// Of --platform; one of them stands in `request` while it is planned and built. Empty: the native one.
  std::vector<plan::Platform> platforms;
  /// By name: a directory, "docker-image://NAME" or "oci-layout://PATH[:TAG]".
  std::vector<std::pair<std::string, std::string>> contexts;
  std::vector<std::string> tags;
  std::vector<Lent> secrets;
  std::vector<Lent> agents;
  std::vector<std::pair<std::string, std::string>> hosts;
  std::vector<sandbox::ResourceLimit> limits;
  std::optional<std::uint64_t> shared_memory;
  std::vector<std::pair<std::string, std::string>> annotations;
  std::vector<OutputRequest> outputs;
  std::vector<StepCachePlace> cache_from;
  std::vector<StepCachePlace> cache_to;
  /// Of images that are named.
  Pull pull = Pull::missing;
  /// All trees of the image made one.
  bool squash = false;
  OnFailure on_failure = OnFailure::report;
};

struct ImageBuilt {
  /// With several platforms: of the native one, else of the first; that is what the names stand for in the store.
  Digest id;
  store::ImageRecord record;
  /// As docker shows them: "app:latest".
  std::vector<std::string> tags;
  std::size_t steps_run = 0;
  std::size_t steps_reused = 0;
  /// Of those reused: how many are from caches of --cache-from.
  std::size_t steps_from_caches = 0;
  /// As it was written or pushed last; nothing if it is only in the store.
  std::optional<WrittenImage> written = std::nullopt;
};

/// What comes before anything is run: the plan, or all that is wrong with the file. Warnings of the build checks are
/// emitted as events; with `# check=error=true` they are errors.
struct PlannedImage {
  plan::ImagePlan plan;
  builder::ImageInputs inputs;
  /// Of the build checks.
  std::size_t warnings = 0;
};
/// For `build.request.platform`. `context` must outlive what is planned.
Result<PlannedImage> plan_image_build(const ImageBuild& build, const BuildContext& context, const Session& session);

/// Plans, builds, stores, tags and writes the outputs.
Result<ImageBuilt> build_image(const ImageBuild& build, const Session& session);

} // namespace sheaf::app
