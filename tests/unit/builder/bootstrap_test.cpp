// SPDX-License-Identifier: Apache-2.0
#include "builder/bootstrap.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::builder {
namespace {

class Bootstrap : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const { ASSERT_TRUE(os::write_file(path(name), text)); }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-bootstrap-").value();
};

TEST_F(Bootstrap, ReleaseDateIsTheNewest) {
  write("deb_dists_bookworm_InRelease", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nDate: "
                                        "Sat, 10 Feb 2024 11:07:25 UTC\nSHA256:\n");
  write("deb_dists_updates_Release", "Date: Sat, 10 Feb 2024 11:07:26 UTC\n");
  write("deb_main_Packages", "Date: Sat, 10 Feb 2029 11:07:26 UTC\n");
  EXPECT_EQ(release_date(path("")).value(), 1707563246);
}

TEST_F(Bootstrap, WithoutAReadableDateItIsZero) {
  EXPECT_EQ(release_date(path("")).value(), 0);
  write("x_InRelease", "Date: yesterday\nValid-Until: Sat, 10 Feb 2024 11:07:25 UTC\n");
  EXPECT_EQ(release_date(path("")).value(), 0);
  EXPECT_FALSE(release_date(path("none")));
}

TEST_F(Bootstrap, HarvestMovesFinishedFilesOnce) {
  ASSERT_TRUE(os::make_directories(path("from/partial")));
  ASSERT_TRUE(os::make_directories(path("to")));
  write("from/a.deb", "new");
  write("from/b.deb", "new");
  write("from/lock", "");
  write("to/b.deb", "old");
  ASSERT_TRUE(harvest(path("from"), path("to"), ".deb"));
  EXPECT_EQ(os::read_file(path("to/a.deb")).value(), "new");
  EXPECT_EQ(os::read_file(path("to/b.deb")).value(), "old");
  EXPECT_FALSE(os::exists(path("from/a.deb")));
  EXPECT_TRUE(os::exists(path("from/lock")));
  EXPECT_TRUE(os::exists(path("from/partial")));
  EXPECT_TRUE(harvest(path("from"), path("to"), ".deb"));
}

} // namespace
} // namespace sheaf::builder
