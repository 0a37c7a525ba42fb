// SPDX-License-Identifier: Apache-2.0
#include "store/usage.hpp"

#include <sys/stat.h>

#include "unit/store/store_support.hpp"

namespace sheaf::store {
namespace {

/// What du(1) would say: the blocks of one file.
std::uint64_t blocks_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

class UsageTest : public InStore {
protected:
  static StoredLayer layer(Store& store, const std::string& name) { return commit(store, record(name, name, name)); }
  static std::uint64_t own(const StoredLayer& layer) {
    return blocks_of(layer.path) + blocks_of(layer.tree()) + blocks_of(layer.inventory()) +
           blocks_of(layer.path + "/layer.json");
  }
};

TEST_F(UsageTest, AnEmptyStoreHasNoLayers) {
  auto store = open();
  const auto usage = measure(store).value();
  EXPECT_TRUE(usage.layers.empty());
  EXPECT_EQ(usage.layers_total, 0U);
  EXPECT_GT(usage.total, 0U);
  EXPECT_EQ(usage.parts.at("joins").count, 0U);
}

TEST_F(UsageTest, WhatTwoLayersShareIsCountedOnce) {
  auto store = open();
  const auto a = layer(store, "a");
  const auto b = layer(store, "b");
  ASSERT_TRUE(os::write_file(a.tree() + "/both", std::string(100'000, 'x')));
  ASSERT_TRUE(os::hard_link(a.tree() + "/both", b.tree() + "/both"));
  ASSERT_TRUE(os::write_file(a.tree() + "/mine", std::string(50'000, 'y')));
  const auto both = blocks_of(a.tree() + "/both");
  const auto mine = blocks_of(a.tree() + "/mine");
  ASSERT_GT(both, mine);
  const auto usage = measure(store).value();
  ASSERT_EQ(usage.layers.size(), 2U);
  EXPECT_EQ(usage.layers[0].shared, both);
  EXPECT_EQ(usage.layers[0].exclusive, own(a) + mine);
  EXPECT_EQ(usage.layers[1].shared, both);
  EXPECT_EQ(usage.layers[1].exclusive, own(b));
  EXPECT_EQ(usage.saved, both);
  EXPECT_EQ(usage.layers_total, own(a) + own(b) + mine + both);
}

TEST_F(UsageTest, LinksWithinALayerAreItsOwn) {
  auto store = open();
  const auto a = layer(store, "a");
  ASSERT_TRUE(os::write_file(a.tree() + "/f", std::string(100'000, 'x')));
  ASSERT_TRUE(os::hard_link(a.tree() + "/f", a.tree() + "/g"));
  const auto usage = measure(store).value();
  EXPECT_EQ(usage.layers.at(0).shared, 0U);
  EXPECT_EQ(usage.layers.at(0).exclusive, own(a) + blocks_of(a.tree() + "/f"));
  EXPECT_EQ(usage.saved, 0U);
}

TEST_F(UsageTest, PartsAreCountedByFolder) {
  auto store = open();
  const auto apt = store.folder("cache/apt").value();
  ASSERT_TRUE(os::write_file(apt + "/one.deb", std::string(10'000, 'x')));
  ASSERT_TRUE(os::write_file(apt + "/two.deb", std::string(10'000, 'x')));
  const auto usage = measure(store).value();
  EXPECT_EQ(usage.parts.at("cache/apt").count, 2U);
  EXPECT_EQ(usage.parts.at("cache/apt").bytes,
            blocks_of(apt) + blocks_of(apt + "/one.deb") + blocks_of(apt + "/two.deb"));
}

TEST_F(UsageTest, ADamagedLayerIsNoLayerButTakesSpace) {
  auto store = open();
  const auto a = layer(store, "a");
  ASSERT_TRUE(os::write_file(a.path + "/layer.json", "{"));
  const auto usage = measure(store).value();
  EXPECT_TRUE(usage.layers.empty());
  EXPECT_EQ(usage.parts.at("damaged layers").count, 1U);
  EXPECT_EQ(usage.parts.at("damaged layers").bytes, own(a));
}

} // namespace
} // namespace sheaf::store
