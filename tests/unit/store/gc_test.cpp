// SPDX-License-Identifier: Apache-2.0
#include "store/format.hpp"
#include "store/gc.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>

#include "unit/store/store_support.hpp"

namespace sheaf::store {
namespace {

class GcTest : public InStore {
protected:
  /// As if last used so many seconds after 1970.
  void age(const std::string& part, std::int64_t seconds) const {
    const std::array<timespec, 2> times = {timespec{seconds, 0}, timespec{seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path(part).c_str(), times.data(), 0), 0) << part;
  }

  static std::vector<std::string> collect(Store& store, const GcOptions& options) {
    const auto report = collect_garbage(store, options, {}).value();
    std::vector<std::string> names;
    for (const auto& part : report.removed) {
      names.push_back(part.name);
    }
    return names;
  }

  /// Of two builds of one layer, committed in this order, is it `kept` that `keep_last` of one keeps, and it alone?
  bool stays_alone(const LayerRecord& kept, const LayerRecord& first, const LayerRecord& second) {
    {
      auto store = open();
      commit(store, first);
      commit(store, second);
    }
    auto store = open();
    EXPECT_THAT(collect(store, {{1, std::nullopt, std::nullopt}, false}), testing::ElementsAre(first.name));
    return store.find(kept.recipe_key).value().has_value() && store.all().value().size() == 1;
  }

  /// Collects everything while `parts` are mounted, in a thread with mounts of its own. Nothing if none can be had
  /// here.
  std::optional<GcReport> collect_while_mounted(const std::vector<std::string>& parts) const {
    std::optional<GcReport> report;
    std::jthread([&] {
      const auto bind = [this](const std::string& part) {
        return mount(path(part).c_str(), path(part).c_str(), nullptr, MS_BIND, nullptr) == 0;
      };
      if (unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
          std::ranges::all_of(parts, bind)) {
        auto store = open();
        report = collect_garbage(store, k_everything, {}).value();
      }
    }).join();
    return report;
  }

  static constexpr GcOptions k_everything = {{0, std::nullopt, 4'000'000'000}, false};
};

TEST_F(GcTest, ALayerGoesWithItsRecipesAndIsNotCalledLost) {
  const auto gone = record("a", "recipe 1", "content");
  auto twin = gone;
  twin.recipe_key.digest = Digest::of("recipe 2");
  {
    auto store = open();
    commit(store, gone);
    commit(store, twin);
  }
  age("layers/" + gone.content_key.hex(), 5);
  auto store = open();
  EXPECT_THAT(collect(store, k_everything), testing::ElementsAre("a"));
  EXPECT_FALSE(os::exists(path("layers/" + gone.content_key.hex())));
  for (const auto& recipe : {gone.recipe_key, twin.recipe_key}) {
    EXPECT_FALSE(store.find(recipe).value());
    EXPECT_FALSE(store.is_lost(recipe));
  }
  EXPECT_FALSE(store.last_build_ms("a").value());
  commit(store, gone);
  EXPECT_TRUE(store.find(gone.recipe_key).value());
}

/// As after a build whose record was lost, and another one that gave something else.
TEST_F(GcTest, ARecipeStaysWithTheNewerOfItsContents) {
  const auto older = record("a", "recipe", "older");
  auto newer = record("a", "recipe", "newer");
  newer.created = older.created + 1;
  {
    auto store = open();
    commit(store, older);
    commit(store, newer);
  }
  auto store = open();
  EXPECT_THAT(collect(store, {{1, std::nullopt, std::nullopt}, false}), testing::ElementsAre("a"));
  EXPECT_FALSE(os::exists(path("layers/" + older.content_key.hex())));
  EXPECT_EQ(store.find(newer.recipe_key).value()->record, newer);
  EXPECT_EQ(store.newest().value().size(), 1U);
}

TEST_F(GcTest, OfTwoBuildsInOneSecondTheLaterIsTheNewer) {
  const auto earlier = record("a", "earlier", "one");
  const auto later = record("a", "later", "two");
  ASSERT_EQ(earlier.created, later.created);
  EXPECT_TRUE(stays_alone(later, earlier, later));
}

TEST_F(GcTest, ABuildFromTheFutureIsOlderThanThoseOfNow) {
  auto strange = record("a", "strange", "one");
  strange.created = std::time(nullptr) + 1'000'000;
  const auto usual = record("a", "usual", "two");
  EXPECT_TRUE(stays_alone(usual, strange, usual));
}

/// Its record and its row would be taken for those of the lost one.
TEST_F(GcTest, ALayerIsCommittedBeforeOrAfterACollectionNotWithinOne) {
  auto store = open();
  auto gate = std::optional(os::FileLock::acquire(path("locks/gc"), os::LockMode::exclusive).value());
  const auto made = record("a", "r", "c");
  std::jthread builder([&] { commit(store, made); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(os::exists(path("layers/" + made.content_key.hex())));
  gate.reset();
  builder.join();
  EXPECT_TRUE(store.find(made.recipe_key).value());
}

TEST_F(GcTest, AStopEndsTheWaitForAnotherCollector) {
  auto store = open();
  const auto gate = os::FileLock::acquire(path("locks/gc"), os::LockMode::exclusive).value();
  std::stop_source stop;
  const std::jthread other([&stop] { stop.request_stop(); });
  EXPECT_EQ(collect_garbage(store, k_everything, stop.get_token()).error().code(), ErrorCode::cancelled);
}

TEST_F(GcTest, AMountedPartIsSkippedAndACacheElsewhereIsEmptied) {
  const auto stays = record("a", "r1", "c1");
  const auto goes = record("b", "r2", "c2");
  {
    auto store = open();
    commit(store, stays);
    commit(store, goes);
    ASSERT_TRUE(os::write_file(store.folder("cache/apt").value() + "/old.deb", std::string(5000, 'x')));
  }
  const auto report = collect_while_mounted({"layers/" + stays.content_key.hex(), "cache/apt"});
  if (!report) {
    GTEST_SKIP() << "nothing can be mounted here";
  }
  ASSERT_EQ(report->skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].part, "layers/" + stays.content_key.hex());
  EXPECT_FALSE(os::exists(path("layers/" + goes.content_key.hex())));
  EXPECT_TRUE(os::list_directory(path("cache/apt")).value().empty());
  EXPECT_EQ(report->removed.size(), 2U);
  EXPECT_GT(report->freed, 5000U);
}

TEST_F(GcTest, AnImageThatIsMountedKeepsItsTrees) {
  const auto layer = record("a", "r1", "c1");
  std::string image;
  {
    auto store = open();
    commit(store, layer);
    ImageRecord made;
    made.trees = {{"layers/" + layer.content_key.hex(), layer.content_key.digest}};
    image = fmt::format("images/{}.json", store.save_image(made).value().hex());
  }
  const auto report = collect_while_mounted({image});
  if (!report) {
    GTEST_SKIP() << "nothing can be mounted here";
  }
  ASSERT_EQ(report->skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].part, image);
  EXPECT_TRUE(report->removed.empty());
  EXPECT_TRUE(os::exists(path("layers/" + layer.content_key.hex())));
}

/// A disk of its own that is full: no folder can be made, nor the index written, until something is gone.
TEST_F(GcTest, OnAFullDiskEverythingGoesAndTheIndexIsFinished) {
  const auto idle = record("a", "r", "c");
  ASSERT_TRUE(os::make_directories(root()));
  GcReport report;
  std::size_t left = 1;
  bool is_lost = true;
  bool may_mount = true;
  std::jthread([&] {
    may_mount = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                mount("tmpfs", root().c_str(), "tmpfs", 0, "size=1m") == 0;
    if (!may_mount) {
      return;
    }
    {
      auto store = open();
      const auto layer = commit(store, idle);
      ASSERT_TRUE(os::write_file(layer.tree() + "/big", std::string(100'000, 'x')));
    }
    auto store = open();
    const auto filler = os::open(path("filler"), O_WRONLY | O_CREAT, 0644).value();
    const std::string page(4096, 'x');
    while (write(filler.get(), page.data(), page.size()) > 0) {
    }
    EXPECT_FALSE(store.stage()); // else this is no test
    report = collect_garbage(store, k_everything, {}).value();
    left = store.lost_contents().value().size() + os::list_directory(path("layers")).value().size();
    is_lost = store.is_lost(idle.recipe_key);
  }).join();
  if (!may_mount) {
    GTEST_SKIP() << "nothing can be mounted here";
  }
  EXPECT_EQ(report.removed.size(), 1U);
  EXPECT_GT(report.freed, 100'000U);
  EXPECT_EQ(left, 0U);
  EXPECT_FALSE(is_lost);
}

TEST_F(GcTest, WhatAnotherStoreObjectFoundStaysUntilItEnds) {
  const auto used = record("a", "r", "c");
  {
    auto store = open();
    commit(store, used);
  }
  auto collector = open();
  {
    auto user = open();
    ASSERT_TRUE(user.find(used.recipe_key).value());
    age("layers/" + used.content_key.hex(), 5);
    EXPECT_THAT(collect(collector, k_everything), testing::IsEmpty());
  }
  EXPECT_THAT(collect(collector, k_everything), testing::ElementsAre("a"));
}

TEST_F(GcTest, ADryRunChangesNothingAndSaysTheSame) {
  const auto idle = record("a", "r", "c");
  {
    auto store = open();
    commit(store, idle);
  }
  auto store = open();
  auto dry = k_everything;
  dry.dry_run = true;
  const auto said = collect_garbage(store, dry, {}).value();
  ASSERT_EQ(said.removed.size(), 1U);
  EXPECT_GT(said.freed, 0U);
  EXPECT_TRUE(store.find(idle.recipe_key).value());
  auto another = open();
  store = open();
  const auto done = collect_garbage(store, k_everything, {}).value();
  EXPECT_EQ(done.removed.size(), 1U);
  EXPECT_EQ(done.freed, said.freed);
}

TEST_F(GcTest, FilesThatLayersShareCountWithTheLastOfThem) {
  const auto one = record("a", "r1", "c1");
  const auto two = record("b", "r2", "c2");
  const std::string text(100'000, 'x');
  {
    auto store = open();
    const auto first = commit(store, one);
    ASSERT_TRUE(os::write_file(first.tree() + "/big", text));
    const auto second = commit(store, two);
    ASSERT_TRUE(os::hard_link(first.tree() + "/big", second.tree() + "/big"));
  }
  auto store = open();
  const auto report = collect_garbage(store, k_everything, {}).value();
  ASSERT_EQ(report.removed.size(), 2U);
  EXPECT_LT(report.removed[0].bytes, text.size());
  EXPECT_GE(report.removed[1].bytes, text.size());
  EXPECT_EQ(report.freed, report.removed[0].bytes + report.removed[1].bytes);
}

TEST_F(GcTest, ALockThatIsHeldStaysAndAFreeOneGoes) {
  auto store = open();
  const auto held = Digest::of("held").hex();
  const auto free = Digest::of("free").hex();
  const auto lock = store.lock_key(held).value();
  { const auto was = store.lock_key(free).value(); }
  collect(store, k_everything);
  EXPECT_TRUE(os::exists(path("locks/" + held)));
  EXPECT_FALSE(os::exists(path("locks/" + free)));
}

TEST_F(GcTest, WhatIsUsedTodayIsRemembered) {
  const auto used = record("a", "r", "c");
  const auto part = "layers/" + used.content_key.hex();
  {
    auto store = open();
    commit(store, used);
  }
  age(part, 1'000'000'000);
  {
    auto store = open();
    ASSERT_TRUE(store.find(used.recipe_key).value());
  }
  EXPECT_GT(os::stamp(path(part))->mtime_ns, 1'700'000'000'000'000'000);
}

TEST_F(GcTest, ANamedImageKeepsItsTreesAndAnUnnamedOneDoesNot) {
  const auto layer = record("a", "r", "c");
  const auto name = oci::Reference::parse("app:1").value();
  {
    auto store = open();
    commit(store, layer);
    ImageRecord image;
    image.trees = {{"layers/" + layer.content_key.hex(), layer.content_key.digest}};
    ASSERT_TRUE(store.tag(name, store.save_image(image).value()));
  }
  auto store = open();
  EXPECT_THAT(collect(store, k_everything), testing::IsEmpty());
  ASSERT_TRUE(store.untag(name).value());
  EXPECT_EQ(collect(store, k_everything).size(), 2U);
  EXPECT_TRUE(store.images().value().empty());
}

// --- format

TEST_F(GcTest, AStoreOfFormat1IsMigratedUnlessAnOldSheafUsesIt) {
  const auto kept = record("a", "r", "c");
  {
    auto store = open();
    commit(store, kept);
  }
  ASSERT_TRUE(os::write_file(path("format"), "sheaf-store 1\n"));
  const auto refused = Store::open(root());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().hint(), testing::HasSubstr("sheaf store migrate"));
  {
    const auto old_build = Staging::create(path("tmp")).value();
    const auto busy = migrate(root());
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().code(), ErrorCode::busy);
    EXPECT_EQ(os::read_file(path("format")).value(), "sheaf-store 1\n");
  }
  const auto migration = migrate(root()).value();
  EXPECT_EQ(migration.from, 1);
  EXPECT_EQ(migration.to, 2);
  auto store = open();
  EXPECT_TRUE(store.find(kept.recipe_key).value());
  EXPECT_EQ(store.last_build_ms("a").value(), 70);
  EXPECT_EQ(migrate(root()).value().from, 2);
}

TEST_F(GcTest, AFormatThatCannotBeReadIsNotTakenForAnOldOne) {
  { auto store = open(); }
  for (const auto* text : {"", "sheaf-store 0\n", "sheaf-store x\n", "2\n", "sheaf-store 2"}) {
    ASSERT_TRUE(os::write_file(path("format"), text));
    const auto opened = Store::open(root());
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error().code(), ErrorCode::corrupt) << text;
    EXPECT_FALSE(migrate(root())) << text;
    EXPECT_EQ(os::read_file(path("format")).value(), text);
  }
  EXPECT_EQ(migrate(path("nowhere")).error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace sheaf::store
