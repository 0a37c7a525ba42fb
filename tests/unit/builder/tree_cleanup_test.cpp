// SPDX-License-Identifier: Apache-2.0
#include "builder/tree_cleanup.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/temp_dir.hpp"
#include "os/xattr.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace sheaf::builder {
namespace {

class TreeCleanupTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(os::make_directories(path("a/b")));
    ASSERT_TRUE(os::write_file(path("a/b/new"), ""));
    ASSERT_TRUE(os::write_file(path("a/old"), ""));
    std::filesystem::create_symlink("nowhere", path("a/link"));
    set_time("a/old", 500);
  }
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void set_time(const std::string& name, time_t seconds) const {
    const std::array<timespec, 2> times = {{{seconds, 0}, {seconds, 0}}};
    ASSERT_EQ(utimensat(AT_FDCWD, path(name).c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
  }
  time_t time_of(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(lstat(path(name).c_str(), &info), 0);
    return info.st_mtim.tv_sec;
  }

  os::TempDir m_directory = os::TempDir::create(std::filesystem::temp_directory_path().string(), "sheaf-").value();
};

TEST_F(TreeCleanupTest, YoungerTimesBecomeTheEpoch) {
  ASSERT_TRUE(clean_tree(m_directory.path(), {1000, false}));
  for (const auto* name : {"a", "a/b", "a/b/new", "a/link"}) {
    EXPECT_EQ(time_of(name), 1000) << name;
  }
  EXPECT_EQ(time_of("a/old"), 500);
}

TEST_F(TreeCleanupTest, WithoutWordsNothingChanges) {
  const auto before = time_of("a/b/new");
  ASSERT_TRUE(clean_tree(m_directory.path(), {}));
  EXPECT_EQ(time_of("a/b/new"), before);
}

TEST_F(TreeCleanupTest, WhiteoutsHaveNoTimeAndAreNotShared) {
  ASSERT_EQ(mknod(path("a/gone").c_str(), S_IFCHR, makedev(0, 0)), 0); // anybody may, since Linux 5.8
  std::filesystem::create_hard_link(path("a/gone"), path("a/gone-too"));
  const auto before = time_of("a/b/new");
  ASSERT_TRUE(clean_tree(m_directory.path(), {}));
  for (const auto* name : {"a/gone", "a/gone-too"}) {
    EXPECT_EQ(time_of(name), 0) << name;
    EXPECT_EQ(std::filesystem::hard_link_count(path(name)), 1U) << name;
  }
  EXPECT_EQ(time_of("a/b/new"), before);
  ASSERT_TRUE(clean_tree(m_directory.path(), {1000, false}));
  EXPECT_EQ(time_of("a/gone"), 0);
}

TEST_F(TreeCleanupTest, OpaqueMarksAreTakenAwayAtEveryDepth) {
  const auto name = std::string(os::overlay_prefix()) + "opaque";
  for (const auto* folder : {"a", "a/b"}) {
    if (setxattr(path(folder).c_str(), name.c_str(), "y", 1, 0) != 0) {
      GTEST_SKIP() << "this file system or user cannot set " << name;
    }
  }
  ASSERT_TRUE(clean_tree(m_directory.path(), {std::nullopt, true}));
  for (const auto* folder : {"a", "a/b"}) {
    EXPECT_EQ(getxattr(path(folder).c_str(), name.c_str(), nullptr, 0), -1) << folder;
  }
}

} // namespace
} // namespace sheaf::builder
