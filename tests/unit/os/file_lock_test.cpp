// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.hpp"

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

using Lock = InTempDir;

TEST_F(Lock, ExclusiveKeepsEverybodyOut) {
  const auto held = FileLock::acquire(path("lock"), LockMode::exclusive);
  ASSERT_TRUE(held);
  EXPECT_FALSE(FileLock::try_acquire(path("lock"), LockMode::exclusive).value());
  EXPECT_FALSE(FileLock::try_acquire(path("lock"), LockMode::shared).value());
}

TEST_F(Lock, SharedKeepsOnlyExclusiveOut) {
  const auto held = FileLock::acquire(path("lock"), LockMode::shared);
  ASSERT_TRUE(held);
  EXPECT_TRUE(FileLock::try_acquire(path("lock"), LockMode::shared).value());
  EXPECT_FALSE(FileLock::try_acquire(path("lock"), LockMode::exclusive).value());
}

TEST_F(Lock, EndsWithItsHolder) {
  { const auto held = FileLock::acquire(path("lock"), LockMode::exclusive).value(); }
  EXPECT_TRUE(FileLock::try_acquire(path("lock"), LockMode::exclusive).value());
}

TEST_F(Lock, MovesWithItsObject) {
  auto first = FileLock::acquire(path("lock"), LockMode::exclusive).value();
  {
    const auto second = std::move(first);
    EXPECT_FALSE(FileLock::try_acquire(path("lock"), LockMode::shared).value());
  }
  EXPECT_TRUE(FileLock::try_acquire(path("lock"), LockMode::shared).value());
}

TEST_F(Lock, IsOnTheFileThatHasTheName) {
  const auto old = FileLock::acquire(path("lock"), LockMode::exclusive).value();
  ASSERT_TRUE(remove_all(path("lock")));
  EXPECT_TRUE(FileLock::try_acquire(path("lock"), LockMode::exclusive).value());
}

TEST_F(Lock, NeedsTheFolder) {
  EXPECT_EQ(FileLock::acquire(path("none/lock"), LockMode::shared).error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace sheaf::os
