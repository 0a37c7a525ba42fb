// SPDX-License-Identifier: Apache-2.0
#include "os/temp_dir.hpp"

#include <fcntl.h>

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

using Temporary = InTempDir;

TEST_F(Temporary, VanishesWithItsOwnerAndIsPrivate) {
  std::string made;
  {
    const auto directory = TempDir::create(root(), "p-").value();
    made = directory.path();
    EXPECT_TRUE(made.starts_with(path("p-")));
    EXPECT_EQ(stat_of(open(made, O_RDONLY).value()).value().st_mode & 07777U, 0700U);
    ASSERT_TRUE(write_file(made + "/file", "x"));
  }
  EXPECT_FALSE(exists(made));
}

TEST_F(Temporary, StaysWhenKeptOrMoved) {
  std::string kept;
  {
    auto first = TempDir::create(root(), "p-").value();
    auto second = std::move(first);
    kept = second.keep();
  }
  EXPECT_TRUE(is_directory(kept));
}

TEST_F(Temporary, NeedsTheParent) {
  EXPECT_EQ(TempDir::create(path("none"), "p-").error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace sheaf::os
