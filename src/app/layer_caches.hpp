// SPDX-License-Identifier: Apache-2.0
#pragma once

// The caches that a project shares layers through: registries, or directories with an OCI layout. Layers that are not
// in the store are looked for in them before they are built, and those that were built are put into them. A cache never
// fails a build: what is wrong with one is said once, and it is left alone from then on.

#include "app/build_stack.hpp"
#include "builder/layer_cache.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sheaf::app {

/// "HOST/REPOSITORY" or "oci://HOST/REPOSITORY", "/PATH", "./PATH" or "file:///PATH"; ",mode=ro" if nothing is to be
/// put there.
struct CachePlace {
  enum class Kind { registry, directory };
  Kind kind = Kind::registry;
  std::string place;
  bool read_only = false;
  bool operator==(const CachePlace&) const = default;
};
/// `invalid` says what is not understood.
Result<CachePlace> parse_cache(std::string_view text);

/// Asks the caches in order. The functions hold what they need; `session` must outlive them.
Result<builder::LayerCache> open_caches(const std::vector<std::string>& caches, const Session& session);

} // namespace sheaf::app
