// SPDX-License-Identifier: Apache-2.0
#include "builder/deletions.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace sheaf::builder {
namespace {

using testing::HasSubstr;

/// A layer on one other, "below", which has what is deleted.
class Deletions : public testing::Test {
protected:
  void SetUp() override {
    m_below.path = m_directory.path();
    m_below.record.name = "below";
    ASSERT_TRUE(os::make_directories(m_below.tree() + "/usr/bin"));
    ASSERT_TRUE(os::make_directories(m_below.tree() + "/etc/alternatives"));
    ASSERT_TRUE(os::write_file(m_below.tree() + "/usr/bin/tool", "x"));
    ASSERT_EQ(symlink("/etc/alternatives/editor", (m_below.tree() + "/usr/bin/editor").c_str()), 0);
    ASSERT_EQ(symlink("/usr/bin/nano", (m_below.tree() + "/etc/alternatives/editor").c_str()), 0);
    ASSERT_EQ(symlink("tool", (m_below.tree() + "/usr/bin/other").c_str()), 0);
    m_plan.name = "above";
  }
  Result<void> check(const std::vector<std::string>& deleted, const std::string& changed = "") {
    layer::Inventory inventory;
    for (const auto& path : deleted) {
      layer::Entry entry;
      entry.path = path;
      entry.type = layer::EntryType::whiteout;
      inventory.entries.push_back(entry);
    }
    join::Facts facts;
    if (!changed.empty()) {
      facts.changes.push_back({changed, "status", "auto", "manual"});
    }
    return check_deletions(m_plan, inventory, facts, {m_below});
  }

  plan::LayerPlan m_plan;

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-deletions-").value();
  store::StoredLayer m_below;
};

TEST_F(Deletions, OfOthersAreRefused) {
  const auto outcome = check({"usr/bin/tool"});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid);
  EXPECT_THAT(outcome.error().render(), HasSubstr("'/usr/bin/tool' of layer 'below'"));
  m_plan.replaces = {"below"};
  EXPECT_TRUE(check({"usr/bin/tool"}));
}

TEST_F(Deletions, OfPackagesAreTheirManagers) { EXPECT_TRUE(check({"usr/bin/tool"}, "var/lib/dpkg/status")); }

TEST_F(Deletions, OfLinksFollowTheAlternatives) {
  const std::string group = "var/lib/dpkg/alternatives/editor";
  EXPECT_TRUE(check({"usr/bin/editor", "etc/alternatives/editor"}, group));
  EXPECT_FALSE(check({"usr/bin/editor"}));
  EXPECT_FALSE(check({"usr/bin/tool"}, group));
  EXPECT_FALSE(check({"usr/bin/other"}, group));
}

} // namespace
} // namespace sheaf::builder
