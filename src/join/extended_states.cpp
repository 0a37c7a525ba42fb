// SPDX-License-Identifier: Apache-2.0
#include "join/extended_states.hpp"

#include "join/dpkg_status.hpp"
#include "join/stanza.hpp"

#include <algorithm>
#include <unordered_set>

namespace sheaf::join {

namespace {

constexpr std::string_view k_any_architecture = ":all";

bool is_automatic(std::string_view stanza) { return stanza_field(stanza, "Auto-Installed") == "1"; }

/// The changes of one file; facts are sorted by file.
std::span<const RecordChange> changes_of(const Facts& facts, std::string_view file) {
  struct ByFile {
    bool operator()(const RecordChange& change, std::string_view path) const { return change.file < path; }
    bool operator()(std::string_view path, const RecordChange& change) const { return path < change.file; }
  };
  const auto [first, last] = std::equal_range(facts.changes.begin(), facts.changes.end(), file, ByFile{});
  return {first, last};
}

std::string_view without_architecture(std::string_view key) { return key.substr(0, key.find(':')); }

/// Keys of the packages that some layer installed without calling them automatic: "name:arch", and the bare "name" of
/// a package for all architectures, which apt lists by the native one.
std::unordered_set<std::string_view> asked_for(std::span<const Layer> layers, std::string_view file) {
  std::unordered_set<std::string_view> asked;
  for (const auto& layer : layers) {
    std::unordered_set<std::string_view> marked;
    for (const auto& change : changes_of(*layer.facts, file)) {
      marked.insert(change.key);
      marked.insert(without_architecture(change.key));
    }
    for (const auto& change : changes_of(*layer.facts, k_dpkg_status_file)) {
      const std::string_view key = change.key;
      const auto wanted = key.ends_with(k_any_architecture) ? without_architecture(key) : key;
      if (!change.before && change.after && !marked.contains(wanted)) {
        asked.insert(wanted);
      }
    }
  }
  return asked;
}

} // namespace

Result<Records> ExtendedStates::parse(std::string_view file, std::string_view text) const {
  return parse_stanzas(file, text, package_key);
}

Result<std::string> ExtendedStates::print(std::string_view /*file*/, const Records& records) const {
  return print_stanzas(records);
}

void ExtendedStates::order(std::string_view /*file*/, Records& records, std::size_t /*added_from*/) const {
  sort_by_package(records);
}

std::optional<Reconciled> ExtendedStates::reconcile(const Sides& sides) const {
  if (!sides.current || !sides.after) {
    return Reconciled{std::nullopt};
  }
  const bool current = is_automatic(*sides.current);
  const bool after = is_automatic(*sides.after);
  if (current == after) {
    return std::nullopt; // they differ in a field that is not ours
  }
  return Reconciled{current ? sides.after : sides.current};
}

void ExtendedStates::settle(FileMerge& merge) const {
  const auto asked = asked_for(merge.layers, merge.file);
  const auto added = merge.records.begin() + static_cast<std::ptrdiff_t>(merge.added_from);
  merge.records.erase(std::remove_if(added, merge.records.end(),
                                     [&](const MergedRecord& merged) {
                                       const std::string_view key = merged.record.key;
                                       return is_automatic(merged.record.value) &&
                                              (asked.contains(key) || asked.contains(without_architecture(key)));
                                     }),
                      merge.records.end());
}

} // namespace sheaf::join
