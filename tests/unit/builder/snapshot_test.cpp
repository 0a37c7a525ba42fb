// SPDX-License-Identifier: Apache-2.0
#include "builder/snapshot.hpp"
#include "layer/capture_rules.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace sheaf::builder {
namespace {

class SnapshotTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(os::make_directories(path("run/tool")));
    ASSERT_TRUE(os::make_directories(path("var")));
    ASSERT_TRUE(os::write_file(path("run/tool/[x]"), ""));
    std::filesystem::create_symlink("/run", path("var/run"));
    std::filesystem::create_symlink("/proc", path("var/processes"));
  }
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  Result<void> check(const std::string& name) const { return check_snapshot({name}, {m_directory.path()}); }
  layer::CaptureRules rules(const std::string& name) const {
    return layer::CaptureRules(
        snapshot_rules({{"SNAPSHOT", 1, plan::SnapshotStep{name}}}, {m_directory.path()}).value());
  }

  os::TempDir m_directory = os::TempDir::create(std::filesystem::temp_directory_path().string(), "sheaf-").value();
};

TEST_F(SnapshotTest, ThePathMustBeThere) {
  EXPECT_TRUE(check("/run/tool/[x]"));
  EXPECT_TRUE(check("/var/run/tool"));
  EXPECT_EQ(check("/run/none").error().code(), ErrorCode::not_found);
  EXPECT_EQ(check_snapshot({"/run"}, {}).error().code(), ErrorCode::not_found);
}

TEST_F(SnapshotTest, WhatTheSandboxMountsCannotBeKept) {
  EXPECT_EQ(check("/proc/self").error().code(), ErrorCode::invalid);
  EXPECT_EQ(check("/var/processes").error().code(), ErrorCode::not_found); // nothing is mounted here
  ASSERT_TRUE(os::make_directories(path("proc")));
  EXPECT_EQ(check("/var/processes").error().code(), ErrorCode::invalid);
}

TEST_F(SnapshotTest, WhatIsNamedIsKeptAgainstTheTable) {
  const auto other = layer::PathIs::other;
  EXPECT_NE(layer::CaptureRules().dropping("run/tool/[x]", other), nullptr);
  EXPECT_EQ(rules("/run/tool").dropping("run/tool/[x]", other), nullptr);
  EXPECT_EQ(rules("/run/tool/[x]").dropping("run/tool/[x]", other), nullptr);
  EXPECT_NE(rules("/run/tool/[x]").dropping("run/tool/x", other), nullptr) << "brackets are no pattern here";
  EXPECT_EQ(rules("/run/tool").dropping("run/tool", layer::PathIs::directory), nullptr);
  EXPECT_NE(rules("/run/tool").dropping("run/tools", other), nullptr);
}

TEST_F(SnapshotTest, TheFolderItLiesInStaysToo) {
  EXPECT_EQ(rules("/tmp/a/b").dropping("tmp/a", layer::PathIs::directory), nullptr);
  EXPECT_NE(rules("/tmp/a/b").dropping("tmp/a/c", layer::PathIs::other), nullptr);
}

TEST_F(SnapshotTest, LinksOfTheRootAreFollowed) {
  EXPECT_EQ(rules("/var/run/tool").dropping("run/tool/[x]", layer::PathIs::other), nullptr);
}

TEST_F(SnapshotTest, TheRootKeepsAll) { EXPECT_EQ(rules("/").dropping("var/log/file", layer::PathIs::other), nullptr); }

} // namespace
} // namespace sheaf::builder
