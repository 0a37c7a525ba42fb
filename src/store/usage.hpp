// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much of the disk a store takes, and which layer how much of that. Counted is what the file system has allocated
// (st_blocks of every inode, directories included), so it agrees with du(1) and not with sums of file sizes.

#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sheaf::store {

struct LayerUsage {
  LayerRecord record;
  /// exclusive + shared.
  std::uint64_t bytes = 0;
  /// Free again if this layer went.
  std::uint64_t exclusive = 0;
  /// In files that other layers have too, by hard links.
  std::uint64_t shared = 0;
};

struct ImageUsage {
  Digest id;
  /// Empty if it has none.
  std::vector<std::string> names;
  /// exclusive + shared.
  std::uint64_t bytes = 0;
  /// In trees that no other image is made of.
  std::uint64_t exclusive = 0;
  std::uint64_t shared = 0;
};

/// What a running process writes to: a build, or what a workspace changes.
struct RunningUsage {
  /// Below the store's root.
  std::string part;
  /// 0 if it cannot be told.
  int pid = 0;
  /// Its command line; empty if it cannot be told.
  std::string command;
  std::uint64_t bytes = 0;
};

struct PartUsage {
  /// Entries of the folder: join layers, package archives, base generations.
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

struct Usage {
  /// By name, then by content key.
  std::vector<LayerUsage> layers;
  /// The newest first.
  std::vector<ImageUsage> images;
  std::vector<RunningUsage> running;
  /// "joins", "cache/apt", "generations", …; folders of the store that are not layers, "other" for loose files.
  std::map<std::string, PartUsage> parts;
  /// What all layers take, each inode once.
  std::uint64_t layers_total = 0;
  /// What files shared between layers would take more if each layer had its own.
  std::uint64_t saved = 0;
  /// Everything below the store's root, each inode once.
  std::uint64_t total = 0;
};

/// Walks the whole store. Entries that vanish meanwhile are not counted.
Result<Usage> measure(Store& store);

} // namespace sheaf::store
