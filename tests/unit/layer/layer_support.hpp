// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "layer/inventory.hpp"
#include "layer/overlap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <tuple>

namespace sheaf::layer {

inline auto fields(const Entry& entry) {
  return std::tie(entry.path, entry.type, entry.mode, entry.uid, entry.gid, entry.mtime, entry.size, entry.digest,
                  entry.target, entry.is_hard_link, entry.attributes);
}
inline bool operator==(const Entry& a, const Entry& b) { return fields(a) == fields(b); }
inline void PrintTo(const Entry& entry, std::ostream* out) { *out << serialise(Inventory{{entry}}); }

inline Entry file(std::string path, std::string_view content = "x") {
  Entry entry;
  entry.path = std::move(path);
  entry.mode = 0644;
  entry.mtime = 100;
  entry.size = content.size();
  entry.digest = Digest::of(content);
  return entry;
}

inline Entry directory(std::string path, unsigned mode = 0755) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = EntryType::directory;
  entry.mode = mode;
  entry.mtime = 100;
  return entry;
}

inline Entry whiteout(std::string path) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = EntryType::whiteout;
  return entry;
}

inline Entry link_to(std::string path, std::string target) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = EntryType::symlink;
  entry.mode = 0777;
  entry.target = std::move(target);
  return entry;
}

/// A layer and the text that its lines point into.
struct TestLayer {
  std::string name;
  std::vector<Entry> entries;
  std::set<std::string> needs;
  std::set<std::string> replaces = {};
};

using BaseDirectory = std::function<std::optional<Entry>(const std::string& path)>;

inline Overlaps overlaps_of(const std::vector<TestLayer>& layers, const BaseDirectory& base,
                            const std::function<bool(const std::string&)>& is_merged = {}) {
  std::vector<std::string> texts;
  texts.reserve(layers.size());
  std::vector<LayerPaths> paths;
  for (const auto& layer : layers) {
    Inventory inventory{layer.entries};
    std::ranges::sort(inventory.entries, {}, [](const Entry& entry) { return escape_path(entry.path); });
    texts.push_back(serialise(inventory));
    paths.push_back({layer.name, layer.needs, layer.replaces, split_inventory(texts.back()).value()});
  }
  return find_overlaps(paths, {base, is_merged}, Detail::every_overlap).value();
}

inline std::optional<Entry> no_base(const std::string& /*path*/) { return std::nullopt; }

} // namespace sheaf::layer
