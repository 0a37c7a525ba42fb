// SPDX-License-Identifier: Apache-2.0
#pragma once

// `--cache-from` and `--cache-to` of `sheaf build`: the steps of images in registries and directories. Reading never
// fails a build: what is wrong with a cache is said once, and the steps are carried out.

#include "app/build_stack.hpp"
#include "app/image_output.hpp"
#include "builder/image_builder.hpp"
#include "builder/step_cache.hpp"
#include "cache/step_object.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// Where steps are kept.
struct StepCachePlace {
  enum class Kind {
    registry,  ///< type=registry: `place` is a name with a tag
    directory, ///< type=local: an OCI layout in the folder `place`, under the name `tag`
    beside,    ///< type=inline: beside the image where it is pushed to
  };
  Kind kind = Kind::registry;
  std::string place;
  std::string tag = "latest";
  /// mode=max: the trees of all stages and not only of the image.
  bool all_stages = false;
  /// ignore-error=true
  bool may_fail = false;
  std::optional<oci::Compression> compression = std::nullopt;
  bool operator==(const StepCachePlace&) const = default;
  /// For messages.
  std::string name() const;
};

/// "type=registry,ref=NAME", "type=local,src=DIR[,tag=TAG]", or names alone: "NAME,NAME". `invalid` or, for types that
/// belong to other programs, `unsupported`.
Result<std::vector<StepCachePlace>> parse_cache_from(std::string_view text);
/// Also "type=inline", "mode=min|max", "dest=DIR", "compression=", "ignore-error=".
Result<std::vector<StepCachePlace>> parse_cache_to(std::string_view text);

/// The caches that a build reads. They are asked when the first step is not in the store.
class StepCaches {
public:
  /// `invalid` if config.yml has mistakes. `session` must outlive it.
  static Result<StepCaches> open(const std::vector<StepCachePlace>& places, const Session& session);
  StepCaches(StepCaches&&) noexcept;
  ~StepCaches();

  /// The functions borrow this object.
  builder::StepCache functions();
  /// What is known of a step, of caches that the build has asked.
  std::optional<cache::StepEntry> find(const Digest& key);
  Result<void> bring(const std::vector<builder::UsedStep>& steps);

private:
  class Impl;
  explicit StepCaches(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> m_impl;
};

/// Puts the steps of a build into the caches; what was there is replaced. The first error, unless the place may fail.
Result<void> write_step_caches(const std::vector<StepCachePlace>& places, const builder::BuiltImage& built,
                               const std::vector<PushedImage>& pushed, StepCaches& known, const Session& session);

} // namespace sheaf::app
