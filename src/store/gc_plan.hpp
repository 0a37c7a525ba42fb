// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `sheaf gc` may take away: a pure function of what there is and what was asked for. docs/concepts/store.md says
// the rules in words.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::store {

struct GcPolicy {
  /// Keep so many builds of each layer, the newest.
  std::optional<unsigned> keep_last;
  /// Take away no more than is needed to bring the store to this size, in bytes; what was used least lately goes first.
  std::optional<std::uint64_t> max_size;
  /// Keep what was used since; seconds since 1970.
  std::optional<std::int64_t> used_since;
};

enum class PartKind {
  image,
  layer,
  join,
  generated,
  step,
  unpacked,
  blob,
  /// A download, a log, a test that passed: of use only to save time.
  cached,
  /// Small, and of no use without the one part it is about: the record of a step or a blob, package lists, a
  /// remembered environment.
  record,
};
/// "layer", "join layer", …
std::string_view to_string(PartKind kind);
/// An image and a layer; anything else goes with what it needs.
bool keeps_what_it_needs(PartKind kind);

struct Part {
  /// Its path below the store's root, by which InUse knows it.
  std::string part;
  PartKind kind = PartKind::record;
  /// For people.
  std::string name;
  /// The builds that `keep_last` counts together; layers only.
  std::string group;
  /// The newer is greater; as Store::built_at says it.
  std::pair<std::int64_t, std::int64_t> built_at;
  /// Seconds since 1970.
  std::int64_t last_used = 0;
  /// Stays whatever the policy says: an image with a name.
  bool is_root = false;
  /// Parts it is of no use without. An image and a layer keep them; others go with them.
  std::vector<std::string> needs;
};

enum class Fate {
  removed,
  /// A named image, or needed by something that stays.
  needed,
  in_use,
  /// By `keep_last` or `used_since`, or because the store is small enough.
  spared,
};

struct GcQuestions {
  /// Does a running process use the part?
  std::function<bool(const std::string&)> is_in_use;
  /// Bytes that are free once this part is gone, too; called in the order in which parts go. Asked for `max_size` only.
  std::function<std::uint64_t(const std::string&)> freed_by;
};

struct GcPlan {
  /// By index of the part.
  std::vector<Fate> fates;
  /// Indices of what goes, in order: nothing goes before what needs it.
  std::vector<std::size_t> removed;
};

/// `total` is the size of the store in bytes; only `max_size` needs it.
GcPlan plan_gc(const std::vector<Part>& parts, const GcPolicy& policy, std::uint64_t total, const GcQuestions& ask);

} // namespace sheaf::store
