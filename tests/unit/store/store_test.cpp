// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <cstdlib>

#include "unit/store/store_support.hpp"

namespace sheaf::store {
namespace {

using StoreTest = InStore;

TEST_F(StoreTest, FindsByRecipeAndByContentWhatWasCommitted) {
  auto store = open();
  const auto wanted = record("python", "recipe", "content");
  EXPECT_FALSE(store.find(wanted.recipe_key).value());
  EXPECT_FALSE(store.find(wanted.content_key).value());
  const auto stored = commit(store, wanted);
  EXPECT_TRUE(os::is_directory(stored.tree()));
  EXPECT_EQ(store.find(wanted.recipe_key).value()->record, wanted);
  EXPECT_EQ(store.find(wanted.content_key).value()->path, stored.path);
  auto again = open();
  EXPECT_EQ(again.find(wanted.recipe_key).value()->record, wanted);
}

TEST_F(StoreTest, TwoRecipesMayGiveOneContent) {
  auto store = open();
  const auto one = record("a", "recipe 1", "content");
  const auto two = record("b", "recipe 2", "content");
  const auto first = commit(store, one);
  const auto second = commit(store, two);
  EXPECT_EQ(first.path, second.path);
  EXPECT_EQ(store.find(one.recipe_key).value()->record, one);
  EXPECT_EQ(store.find(two.recipe_key).value()->record, two);
  EXPECT_EQ(os::list_directory(path("layers")).value().size(), 1U);
}

TEST_F(StoreTest, NothingIsLeftInStagingAfterACommit) {
  auto store = open();
  commit(store, record("a", "r", "c"));
  commit(store, record("a", "r", "c"));
  const auto entries = os::list_directory(path("tmp")).value();
  for (const auto& entry : entries) {
    EXPECT_FALSE(entry.name.starts_with("build-")) << entry.name;
  }
}

TEST_F(StoreTest, ALostIndexIsRebuilt) {
  const auto wanted = record("a", "r", "c");
  {
    auto store = open();
    commit(store, wanted);
  }
  ASSERT_TRUE(os::remove_all(path("index.db")));
  auto store = open();
  EXPECT_EQ(store.find(wanted.recipe_key).value()->record, wanted);
  EXPECT_EQ(store.last_build_ms("a").value(), 70);
}

TEST_F(StoreTest, ADamagedIndexIsRebuilt) {
  const auto wanted = record("a", "r", "c");
  {
    auto store = open();
    commit(store, wanted);
  }
  ASSERT_TRUE(os::write_file(path("index.db"), std::string(8192, 'x')));
  auto store = open();
  EXPECT_EQ(store.find(wanted.recipe_key).value()->record, wanted);
}

TEST_F(StoreTest, AnEmptyIndexIsRebuilt) {
  const auto wanted = record("a", "r", "c");
  {
    auto store = open();
    commit(store, wanted);
  }
  ASSERT_TRUE(os::write_file(path("index.db"), ""));
  {
    auto store = open();
    EXPECT_TRUE(store.find(wanted.recipe_key).value());
  }
  ASSERT_TRUE(os::remove_all(path("index.db")));
  ASSERT_TRUE(os::make_directories(path("index.db")));
  const auto opened = Store::open(root());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().summary(), testing::HasSubstr("index.db': Is a directory"));
  EXPECT_THAT(opened.error().hint(), testing::HasSubstr("move it away"));
}

TEST_F(StoreTest, AnIndexThatIsADanglingLinkIsRebuilt) {
  const auto wanted = record("a", "r", "c");
  {
    auto store = open();
    commit(store, wanted);
  }
  ASSERT_TRUE(os::remove_all(path("index.db")));
  ASSERT_EQ(symlink("nowhere", path("index.db").c_str()), 0);
  auto store = open();
  EXPECT_TRUE(store.find(wanted.recipe_key).value());
  EXPECT_FALSE(os::exists(path("nowhere")));
}

TEST_F(StoreTest, ADamagedRecipeIsLeftOutOfTheRebuiltIndex) {
  const auto wanted = record("a", "r", "c");
  {
    auto store = open();
    commit(store, wanted);
  }
  ASSERT_TRUE(os::write_file(path("recipes/" + Digest::of("other").hex()), "{"));
  ASSERT_TRUE(os::remove_all(path("index.db")));
  auto store = open();
  EXPECT_TRUE(store.find(wanted.recipe_key).value());
  EXPECT_FALSE(store.find(RecipeKey{Digest::of("other")}).value());
}

/// A recipe file is only a cache of what a build said: if it is unreadable the layer is to be built again.
TEST_F(StoreTest, ADamagedRecipeOfAKnownLayerDoesNotBlockItsRebuild) {
  auto store = open();
  const auto wanted = record("a", "r", "c");
  commit(store, wanted);
  ASSERT_TRUE(os::write_file(path("recipes/" + wanted.recipe_key.hex()), ""));
  EXPECT_TRUE(store.find(wanted.recipe_key));
}

TEST_F(StoreTest, ALayerWhoseFilesAreGoneIsForgotten) {
  auto store = open();
  const auto wanted = record("a", "r", "c");
  const auto stored = commit(store, wanted);
  ASSERT_TRUE(os::remove_all(stored.path));
  EXPECT_FALSE(store.find(wanted.recipe_key).value());
  EXPECT_TRUE(store.newest().value().empty());
}

TEST_F(StoreTest, ADamagedLayerIsMissingAndNamedOnce) {
  auto store = open();
  const auto wanted = record("a", "r", "c");
  const auto stored = commit(store, wanted);
  ASSERT_TRUE(os::write_file(stored.path + "/layer.json", "{"));
  EXPECT_FALSE(store.find(wanted.recipe_key).value());
  EXPECT_FALSE(store.find(wanted.content_key).value());
  EXPECT_TRUE(store.all().value().empty());
  EXPECT_THAT(store.take_damaged(), testing::ElementsAre(stored.path));
  EXPECT_THAT(store.take_damaged(), testing::IsEmpty());
}

TEST_F(StoreTest, AFolderInPlaceOfARecordIsDamage) {
  auto store = open();
  const auto wanted = record("a", "r", "c");
  const auto stored = commit(store, wanted);
  ASSERT_TRUE(os::remove_file_if_exists(stored.path + "/layer.json"));
  ASSERT_TRUE(os::make_directories(stored.path + "/layer.json"));
  EXPECT_TRUE(store.is_lost(wanted.recipe_key));
  EXPECT_FALSE(store.find(wanted.recipe_key).value());
  EXPECT_THAT(store.take_damaged(), testing::ElementsAre(stored.path));
  commit(store, wanted);
  EXPECT_EQ(store.find(wanted.recipe_key).value()->record, wanted);
}

TEST_F(StoreTest, ADamagedLayerGivesWayToItsRebuild) {
  auto store = open();
  const auto wanted = record("a", "r", "c");
  const auto stored = commit(store, wanted);
  ASSERT_TRUE(os::write_file(stored.path + "/layer.json", "{"));
  ASSERT_TRUE(os::write_file(stored.path + "/tree/left-over", "x"));
  commit(store, wanted);
  EXPECT_EQ(store.find(wanted.recipe_key).value()->record, wanted);
  EXPECT_FALSE(os::exists(stored.path + "/tree/left-over"));
}

TEST_F(StoreTest, ARecordInTheFolderOfAnotherLayerIsDamage) {
  auto store = open();
  const auto stored = commit(store, record("a", "r", "c"));
  const auto other = path("layers/" + Digest::of("other").hex());
  ASSERT_TRUE(os::rename(stored.path, other));
  EXPECT_TRUE(store.all().value().empty());
  EXPECT_THAT(store.take_damaged(), testing::ElementsAre(other));
}

TEST_F(StoreTest, AllAreTheLayersOfEveryRecipe) {
  auto store = open();
  commit(store, record("a", "r1", "c1"));
  commit(store, record("a", "r2", "c2"));
  EXPECT_EQ(store.all().value().size(), 2U);
}

TEST_F(StoreTest, AnotherFormatIsRefused) {
  ASSERT_TRUE(os::make_directories(root()));
  ASSERT_TRUE(os::write_file(path("format"), "sheaf-store 999\n"));
  const auto store = Store::open(root());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), ErrorCode::unsupported);
  EXPECT_FALSE(store.error().hint().empty());
}

TEST_F(StoreTest, NewestIsOnePerName) {
  auto store = open();
  auto old = record("a", "r1", "c1");
  auto young = record("a", "r2", "c2");
  young.created = old.created + 1;
  young.build_ms = 99;
  commit(store, young);
  commit(store, old);
  commit(store, record("b", "r3", "c3"));
  const auto newest = store.newest().value();
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0].record, young);
  EXPECT_EQ(newest[1].record.name, "b");
  EXPECT_EQ(store.last_build_ms("a").value(), 99);
  EXPECT_EQ(store.last_build_ms("none").value(), std::nullopt);
}

TEST_F(StoreTest, CommittingARecipeAgainReplacesItsRow) {
  auto store = open();
  auto layer = record("a", "r", "c");
  commit(store, layer);
  layer.build_ms = 1;
  commit(store, layer);
  EXPECT_EQ(store.last_build_ms("a").value(), 1);
  EXPECT_EQ(store.newest().value().size(), 1U);
}

TEST_F(StoreTest, JoinsAreFoundByTheirKey) {
  auto store = open();
  const auto key = Digest::of("join");
  EXPECT_EQ(store.find_join(key), std::nullopt);
  std::string committed;
  for (int i = 0; i < 2; ++i) {
    auto staging = store.stage().value();
    ASSERT_TRUE(os::make_directories(staging.file("join/tree")));
    ASSERT_TRUE(os::write_file(staging.file("join/join.json"), "{}"));
    committed = store.commit_join(staging.file("join"), key).value();
  }
  EXPECT_EQ(store.find_join(key), committed);
  EXPECT_TRUE(os::is_directory(committed + "/tree"));
}

TEST_F(StoreTest, GeneratedFilesAreFoundByTheirKeyAndTheFirstStay) {
  auto store = open();
  const auto key = Digest::of("sources");
  EXPECT_EQ(store.find_generated(key), std::nullopt);
  for (const auto* content : {"first", "second"}) {
    auto staging = store.stage().value();
    ASSERT_TRUE(os::make_directories(staging.file("made/tree")));
    ASSERT_TRUE(os::write_file(staging.file("made/inventory"), content));
    ASSERT_TRUE(store.commit_generated(staging.file("made"), key));
  }
  const auto found = store.find_generated(key);
  ASSERT_TRUE(found);
  EXPECT_EQ(os::read_file(*found + "/inventory").value(), "first");
  EXPECT_EQ(store.find_generated(Digest::of("others")), std::nullopt);
}

// A removal that was broken off, for example.
TEST_F(StoreTest, WhatWasDamagedIsReplaced) {
  auto store = open();
  const auto key = Digest::of("join");
  for (const auto* lost : {"seal", "tree"}) {
    auto staging = store.stage().value();
    ASSERT_TRUE(os::make_directories(staging.file("join/tree")));
    ASSERT_TRUE(os::write_file(staging.file("join/tree/whole"), ""));
    ASSERT_TRUE(os::write_file(staging.file("join/join.json"), "{}"));
    const auto committed = store.commit_join(staging.file("join"), key).value();
    EXPECT_EQ(store.find_join(key), committed);
    EXPECT_TRUE(os::exists(committed + "/tree/whole"));
    ASSERT_TRUE(os::remove_all(committed + "/" + lost));
    EXPECT_EQ(store.find_join(key), std::nullopt) << lost;
  }
}

TEST_F(StoreTest, OneBuilderPerKey) {
  auto one = open();
  auto two = open();
  {
    const auto held = one.lock_key("abc").value();
    EXPECT_FALSE(two.try_lock_key("abc").value());
    EXPECT_TRUE(two.try_lock_key("abd").value());
  }
  EXPECT_TRUE(two.try_lock_key("abc").value());
}

TEST_F(StoreTest, OpeningRemovesWhatAKilledBuildLeft) {
  auto first = open();
  EXPECT_EQ(first.abandoned(), 0);
  const auto alive = first.stage().value();
  ASSERT_TRUE(os::make_directories(path("tmp/build-dead/layer")));
  EXPECT_EQ(open().abandoned(), 1);
  EXPECT_FALSE(os::exists(path("tmp/build-dead")));
  EXPECT_TRUE(os::exists(alive.path()));
}

TEST_F(StoreTest, FoldersAreMadeOnDemand) {
  auto store = open();
  EXPECT_TRUE(os::is_directory(store.folder("cache/npm").value()));
  EXPECT_TRUE(os::is_directory(path("cache/npm")));
}

TEST(DefaultRoot, FollowsTheEnvironment) {
  setenv("HOME", "/home/x", 1);
  unsetenv("XDG_DATA_HOME");
  unsetenv("SHEAF_ROOT");
  EXPECT_EQ(default_root(), "/home/x/.local/share/sheaf");
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(default_root(), "/data/sheaf");
  setenv("SHEAF_ROOT", "/store", 1);
  EXPECT_EQ(default_root(), "/store");
}

} // namespace
} // namespace sheaf::store
