// SPDX-License-Identifier: Apache-2.0
#include "join/join.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace sheaf::join {

namespace {

/// The changes of one layer to one file.
struct LayerChanges {
  std::size_t layer = 0;
  std::span<const RecordChange> changes;
};
using ChangesByFile = std::map<std::string_view, std::vector<LayerChanges>>;

ChangesByFile group_by_file(std::span<const Layer> layers) {
  ChangesByFile files;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& changes = layers[i].facts->changes;
    for (auto first = changes.begin(); first != changes.end();) {
      const auto last = std::find_if(first, changes.end(), [&](const auto& c) { return c.file != first->file; });
      files[first->file].push_back({i, {first, last}});
      first = last;
    }
  }
  return files;
}

/// One file while layers are applied to it.
class Merger {
public:
  Merger(const Driver& driver, std::string_view file, std::span<const Layer> layers)
      : m_driver(driver), m_file(file), m_layers(layers) {}

  void start(Records base, std::size_t change_count) {
    // The index refers to keys inside the slots, so the slots must never move.
    m_slots.reserve(base.size() + change_count);
    m_index.reserve(base.size() + change_count);
    for (auto& record : base) {
      add_slot(std::move(record.key), std::move(record.value), k_base);
    }
    m_base_count = m_slots.size();
  }

  void apply(const LayerChanges& layer) {
    for (const auto& change : layer.changes) {
      if (change.key != k_order_key) {
        apply(change, layer.layer);
      }
    }
  }

  /// The merged records in canonical order.
  Records finish(std::vector<Conflict>& conflicts) {
    FileMerge merge{m_file, m_layers, {}, 0, std::move(m_conflicts)};
    merge.records.reserve(m_slots.size());
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
      auto& slot = m_slots[i];
      if (slot.value) {
        merge.added_from += i < m_base_count ? 1 : 0;
        merge.records.push_back({{std::move(slot.key), std::move(*slot.value)}, slot.set_by});
      }
    }
    m_driver.settle(merge);
    std::move(merge.conflicts.begin(), merge.conflicts.end(), std::back_inserter(conflicts));
    Records records;
    records.reserve(merge.records.size());
    for (auto& merged : merge.records) {
      records.push_back(std::move(merged.record));
    }
    m_driver.order(m_file, records, merge.added_from);
    return records;
  }

private:
  struct Slot {
    std::string key;
    std::optional<std::string> value;
    std::size_t set_by = k_base;
  };

  Slot& add_slot(std::string key, std::optional<std::string> value, std::size_t set_by) {
    auto& slot = m_slots.emplace_back(Slot{std::move(key), std::move(value), set_by});
    m_index.emplace(slot.key, m_slots.size() - 1);
    return slot;
  }

  void apply(const RecordChange& change, std::size_t layer) {
    const auto found = m_index.find(change.key);
    auto& slot = found == m_index.end() ? add_slot(change.key, std::nullopt, k_base) : m_slots[found->second];
    if (slot.value == change.before) {
      slot.value = change.after;
      slot.set_by = layer;
    } else if (slot.value != change.after) {
      // The ancestor is what the layer saw. For a layer built on the base alone that is the base's value.
      auto merged = m_driver.reconcile({m_file, change.key, change.before, slot.value, change.after});
      if (merged) {
        slot.value = std::move(merged->value);
        slot.set_by = layer;
      } else if (replaces(layer, slot.set_by)) {
        slot.value = change.after;
        slot.set_by = layer;
      } else {
        add_conflict(slot, change, layer);
      }
    }
  }

  bool replaces(std::size_t later, std::size_t earlier) const {
    return earlier != k_base &&
           std::ranges::find(m_layers[later].replaces, m_layers[earlier].name) != m_layers[later].replaces.end();
  }

  const RecordChange* change_of(std::size_t layer, std::string_view key) const {
    const auto& changes = m_layers[layer].facts->changes;
    const std::pair wanted(m_file, key);
    const auto found = std::lower_bound(changes.begin(), changes.end(), wanted, [](const auto& change, const auto& at) {
      return std::pair<std::string_view, std::string_view>(change.file, change.key) < at;
    });
    return found != changes.end() && found->file == m_file && found->key == key ? &*found : nullptr;
  }

  bool at_odds(const RecordChange& change, std::size_t other_layer) const {
    const auto* other = change_of(other_layer, change.key);
    return other != nullptr && other->after != change.before && other->after != change.after &&
           !m_driver.reconcile({m_file, change.key, change.before, other->after, change.after});
  }

  /// The layer that `change` cannot be reconciled with. Not always the one that set the record last: that may have
  /// changed another part of it, and building again on top of that one would not help.
  std::size_t opponent(const Slot& slot, const RecordChange& change, std::size_t layer) const {
    if (slot.set_by == k_base || at_odds(change, slot.set_by)) {
      return slot.set_by;
    }
    for (auto i = layer; i-- > 0;) {
      if (at_odds(change, i)) {
        return i;
      }
    }
    return slot.set_by;
  }

  void add_conflict(const Slot& slot, const RecordChange& change, std::size_t layer) {
    const auto other = opponent(slot, change, layer);
    m_conflicts.push_back(with_texts(m_driver, {std::string(m_driver.name()),
                                                std::string(m_file),
                                                change.key,
                                                other == k_base ? std::string() : std::string(m_layers[other].name),
                                                std::string(m_layers[layer].name),
                                                slot.value,
                                                change.after,
                                                {},
                                                {}}));
  }

  const Driver& m_driver;
  std::string_view m_file;
  std::span<const Layer> m_layers;
  std::vector<Slot> m_slots;
  std::unordered_map<std::string_view, std::size_t> m_index;
  std::size_t m_base_count = 0;
  std::vector<Conflict> m_conflicts;
};

/// For a file that the base does not have: the order of one of the texts that layers made of it, whichever sorts first;
/// what that one does not have follows.
Result<void> restore_order(const Driver& driver, std::string_view file, std::span<const LayerChanges> layers,
                           Records& records) {
  const std::string* text = nullptr;
  for (const auto& layer : layers) {
    for (const auto& change : layer.changes) {
      if (change.key == k_order_key && change.after && (text == nullptr || *change.after < *text)) {
        text = &*change.after;
      }
    }
  }
  if (text == nullptr) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto model, driver.parse(file, *text));
  std::unordered_map<std::string_view, std::size_t> places;
  for (const auto& record : model) {
    places.emplace(record.key, places.size());
  }
  const auto place_of = [&](const Record& record) {
    const auto found = places.find(record.key);
    return found == places.end() ? places.size() : found->second;
  };
  std::stable_sort(records.begin(), records.end(),
                   [&](const auto& a, const auto& b) { return place_of(a) < place_of(b); });
  return {};
}

/// Adds the merged file, its links and its conflicts to `result`.
Result<void> join_file(std::string_view file, const BaseText& base, std::span<const Layer> layers,
                       std::span<const LayerChanges> changes, JoinResult& result) {
  const auto* driver = driver_for(file);
  if (driver == nullptr) {
    return Error(ErrorCode::unsupported,
                 fmt::format("layer '{}' has facts of a file of no known kind", layers[changes.front().layer].name))
        .with_hint("it was built by a newer sheaf; use that, or build the layer again");
  }
  SHEAF_TRY_ASSIGN(std::optional<std::string> text, base(file));
  Records records;
  if (text) {
    SHEAF_TRY_ASSIGN(records, driver->parse(file, *text).context("reading the base"));
  }
  std::size_t change_count = 0;
  for (const auto& layer : changes) {
    change_count += layer.changes.size();
  }
  Merger merger(*driver, file, layers);
  merger.start(std::move(records), change_count);
  for (const auto& layer : changes) {
    merger.apply(layer);
  }
  const auto conflicts = result.conflicts.size();
  auto merged = merger.finish(result.conflicts);
  if (result.conflicts.size() != conflicts) {
    return {}; // the records may not make sense together
  }
  if (!text) {
    SHEAF_TRY(restore_order(*driver, file, changes, merged));
  }
  SHEAF_TRY_ASSIGN(std::string merged_text, driver->print(file, merged));
  result.files.emplace_hint(result.files.end(), file, std::move(merged_text));
  result.links.merge(driver->links(file, merged));
  return {};
}

} // namespace

Result<JoinResult> join(const BaseText& base, std::span<const Layer> layers) {
  JoinResult result;
  for (const auto& [file, changes] : group_by_file(layers)) {
    SHEAF_TRY(join_file(file, base, layers, changes, result).context(fmt::format("joining '/{}'", file)));
  }
  return result;
}

} // namespace sheaf::join
