// SPDX-License-Identifier: Apache-2.0
#pragma once

// Is the store what its names and records say? Reads everything that has a digest. Runs beside other processes; what
// they add or take away meanwhile is left out.

#include "app/build_stack.hpp"
#include "base/digest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

/// What would mend it.
enum class Remedy {
  quarantine, ///< what is damaged is put aside; it can be made again, fetched or built
  fetch,      ///< a layer: as above, and caches are asked
  rebuild_index,
  rewrite_recipe, ///< a recipe's record, from the layer's own
};

struct StoreProblem {
  /// Path below the store's root.
  std::string part;
  /// For people: "layer python", "image app:1".
  std::string subject;
  /// What is wrong, without the subject.
  std::string what;
  Remedy remedy = Remedy::quarantine;
  /// Images that are made of it.
  std::vector<std::string> used_by;
  /// Of a lost or damaged layer.
  std::optional<RecipeKey> recipe = std::nullopt;
  /// After a repair: what was done; empty before.
  std::string done;
  bool is_mended = false;
};

/// An image that came from outside and works, but cannot leave as it came any more.
struct IncompleteImage {
  /// Path below the store's root.
  std::string part;
  /// For people: "image app:1".
  std::string subject;
  /// At least one.
  std::size_t lost_blobs = 0;
};

struct StoreCheck {
  /// In the order in which they should be mended.
  std::vector<StoreProblem> problems;
  std::vector<IncompleteImage> incomplete;
  /// What was looked at: "layers" to 12.
  std::map<std::string, std::size_t> checked;
};

/// `cancelled` if stopped.
Result<StoreCheck> check_store(const Session& session);

/// True if this process lacks something, or the disk gave something not just now: that is no damage of the part.
bool is_own_lack(const Error& error);

} // namespace sheaf::app
