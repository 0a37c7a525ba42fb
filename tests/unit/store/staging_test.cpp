// SPDX-License-Identifier: Apache-2.0
#include "store/staging.hpp"

#include <gmock/gmock.h>

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "unit/store/store_support.hpp"

namespace sheaf::store {
namespace {

class StagingArea : public testing::Test {
protected:
  std::string parent() const { return m_directory.path(); }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-staging-").value();
};

TEST_F(StagingArea, VanishesWithItsOwner) {
  std::string path;
  {
    auto staging = Staging::create(parent()).value();
    path = staging.path();
    ASSERT_TRUE(os::write_file(staging.file("deep"), "x"));
    ASSERT_TRUE(os::is_directory(path));
  }
  EXPECT_FALSE(os::exists(path));
}

TEST_F(StagingArea, FreshDirectoriesDiffer) {
  auto staging = Staging::create(parent()).value();
  const auto one = staging.fresh_directory("work-").value();
  const auto two = staging.fresh_directory("work-").value();
  EXPECT_NE(one, two);
  EXPECT_TRUE(os::is_directory(one));
  EXPECT_TRUE(os::list_directory(two).value().empty());
}

TEST_F(StagingArea, OnlyWhatNobodyHoldsIsAbandoned) {
  const auto alive = Staging::create(parent()).value();
  ASSERT_TRUE(os::make_directories(parent() + "/build-dead/layer/tree"));
  ASSERT_TRUE(os::make_directories(parent() + "/build-locked"));
  ASSERT_TRUE(os::write_file(parent() + "/build-locked/owner.lock", ""));
  ASSERT_TRUE(os::make_directories(parent() + "/other"));
  EXPECT_EQ(Staging::remove_abandoned(parent()).value(), 2);
  EXPECT_FALSE(os::exists(parent() + "/build-dead"));
  EXPECT_FALSE(os::exists(parent() + "/build-locked"));
  EXPECT_TRUE(os::exists(parent() + "/other"));
  EXPECT_TRUE(os::exists(alive.path()));
}

/// What is closed after writing, and what is removed, in a folder, in the order in which it happens.
class Watch {
public:
  explicit Watch(const std::string& folder) {
    EXPECT_GE(inotify_add_watch(m_fd.get(), folder.c_str(), IN_CLOSE_WRITE | IN_DELETE), 0);
  }

  std::vector<std::string> seen() const {
    std::array<char, 4096> bytes{};
    const auto count = read(m_fd.get(), bytes.data(), bytes.size());
    std::vector<std::string> events;
    for (std::size_t at = 0; count > 0 && at < static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, bytes.data() + at, sizeof event);
      at += sizeof event;
      events.push_back(((event.mask & IN_DELETE) != 0 ? "removed " : "closed ") + std::string(bytes.data() + at));
      at += event.len;
    }
    return events;
  }

private:
  os::Fd m_fd{inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
};

TEST_F(StagingArea, NobodyWaitsAtTheGateForARemoval) {
  ASSERT_TRUE(os::make_directories(parent() + "/build-dead/layer/tree"));
  const Watch watch(parent());
  EXPECT_EQ(Staging::remove_abandoned(parent()).value(), 1);
  EXPECT_THAT(watch.seen(), testing::ElementsAre("closed gate.lock", "removed trash-build-dead"));
}

TEST_F(StagingArea, WhatWasBeingRemovedGoesUnlessSomebodyIsAtIt) {
  ASSERT_TRUE(os::make_directories(parent() + "/trash-folder/tree"));
  ASSERT_TRUE(os::write_file(parent() + "/trash-file", "x"));
  ASSERT_TRUE(os::make_directories(parent() + "/trash-left"));
  ASSERT_TRUE(os::write_file(parent() + "/trash-left/owner.lock", "1\n"));
  ASSERT_TRUE(os::make_directories(parent() + "/trash-held"));
  const auto held = os::FileLock::acquire(parent() + "/trash-held/owner.lock", os::LockMode::exclusive).value();
  ASSERT_TRUE(os::write_file(parent() + "/file-left", "x"));
  EXPECT_EQ(Staging::remove_abandoned(parent()).value(), 0);
  std::vector<std::string> left;
  const auto entries = os::list_directory(parent()).value();
  for (const auto& entry : entries) {
    left.push_back(entry.name);
  }
  EXPECT_THAT(left, testing::ElementsAre("gate.lock", "trash-held"));
}

TEST_F(StagingArea, MovesWithoutLosingItsLock) {
  auto first = Staging::create(parent()).value();
  const auto second = std::move(first);
  EXPECT_EQ(Staging::remove_abandoned(parent()).value(), 0);
  EXPECT_TRUE(os::exists(second.path()));
}

} // namespace
} // namespace sheaf::store
