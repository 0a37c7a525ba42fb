// SPDX-License-Identifier: Apache-2.0
#include "store/staging.hpp"

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

TEST_F(StagingArea, MovesWithoutLosingItsLock) {
  auto first = Staging::create(parent()).value();
  const auto second = std::move(first);
  EXPECT_EQ(Staging::remove_abandoned(parent()).value(), 0);
  EXPECT_TRUE(os::exists(second.path()));
}

} // namespace
} // namespace sheaf::store
