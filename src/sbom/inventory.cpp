// SPDX-License-Identifier: Apache-2.0
#include "sbom/inventory.hpp"

#include "layer/file_digest.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace sheaf::sbom {
namespace {

/// In the order of an inventory.
void sort_entries(std::vector<layer::Entry>& entries) {
  std::vector<std::pair<std::string, layer::Entry>> keyed;
  keyed.reserve(entries.size());
  for (auto& entry : entries) {
    auto key = layer::escape_path(entry.path);
    keyed.emplace_back(std::move(key), std::move(entry));
  }
  std::ranges::sort(keyed, {}, &std::pair<std::string, layer::Entry>::first);
  entries.clear();
  for (auto& [key, entry] : keyed) {
    entries.push_back(std::move(entry));
  }
}

/// Entries of one tree, with what tells the names of one file.
class TreePart {
public:
  void add(const TreeEntry& found) {
    m_entries.push_back(found.entry);
    if (found.has_other_names && found.entry.type == layer::EntryType::file) {
      m_names[{found.device, found.inode}].push_back(m_entries.size() - 1);
    }
  }

  /// The entries with digests, hard links marked.
  Result<std::vector<layer::Entry>> take(const os::Fd& tree) && {
    for (auto& [file, names] : m_names) {
      const auto first = *std::ranges::min_element(
          names, {}, [&](std::size_t index) { return layer::escape_path(m_entries[index].path); });
      for (const auto index : names) {
        m_entries[index].is_hard_link = index != first;
        m_entries[index].target = index != first ? m_entries[first].path : std::string();
      }
    }
    sort_entries(m_entries); // the first name of a file goes before the others
    SHEAF_TRY(layer::add_digests(tree, m_entries));
    return std::move(m_entries);
  }

private:
  std::vector<layer::Entry> m_entries;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::size_t>> m_names;
};

} // namespace

Result<layer::Inventory> inventory_of(const TreeStack& root) {
  std::vector<TreePart> parts(root.trees().size());
  SHEAF_TRY(root.walk(Detail::entries, [&](const TreeEntry& entry) -> Result<void> {
    parts[entry.trees.front()].add(entry);
    return {};
  }));
  layer::Inventory inventory;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    SHEAF_TRY_ASSIGN(auto entries, std::move(parts[i]).take(root.tree(i)));
    std::ranges::move(entries, std::back_inserter(inventory.entries));
  }
  sort_entries(inventory.entries);
  return inventory;
}

} // namespace sheaf::sbom
