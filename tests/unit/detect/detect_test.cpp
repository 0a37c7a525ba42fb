// SPDX-License-Identifier: Apache-2.0
#include "detect/detect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sheaf::detect {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const std::array<Rule, 4> k_rules = {
    {{"rust", "Cargo.toml"}, {"node", "package.json"}, {"tf", "*.tf"}, {"ci", "ci/*.yml"}}};

/// A folder of the test's own, removed at its end.
class Detect : public testing::Test {
protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "sheaf-detect-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    m_root = pattern;
  }
  void TearDown() override { fs::remove_all(m_root); }

  void add(const std::string& file) const {
    fs::create_directories((m_root / file).parent_path());
    std::ofstream(m_root / file) << "x";
  }

  Detection run(const Options& options = {}) const {
    auto result = detect(m_root.string(), k_rules, options);
    EXPECT_TRUE(result.has_value());
    return result.value_or(Detection());
  }

  std::vector<std::string> found(const Options& options = {}) const {
    std::vector<std::string> texts;
    for (const auto& finding : run(options).findings) {
      texts.push_back(finding.layer + " " + finding.file);
    }
    return texts;
  }

  fs::path m_root;
};

TEST_F(Detect, FindsLanguagesBelowTheRootShallowestFirst) {
  add("a/b/package.json");
  add("backend/Cargo.toml");
  add("frontend/package.json");
  add("package.json");
  EXPECT_THAT(found(), ElementsAre("node package.json", "rust backend/Cargo.toml", "node frontend/package.json",
                                   "node a/b/package.json"));
  EXPECT_EQ(run().findings.at(1), (Finding{"rust", "backend/Cargo.toml", 0, "Cargo.toml"}));
}

TEST_F(Detect, GlobsFitNamesOrPaths) {
  add("x/main.tf");
  add("ci/a.yml");
  add("x/ci/a.yml");
  add("ci/b/a.yml");
  EXPECT_THAT(found(), ElementsAre("ci ci/a.yml", "tf x/main.tf"));
}

TEST_F(Detect, SkipsForeignAndHiddenFolders) {
  for (const auto* folder : {".git", ".venv", ".hidden", "node_modules", "target", "vendor", "__pycache__"}) {
    add(std::string(folder) + "/package.json");
  }
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_THAT(run().directories, testing::SizeIs(1));
}

TEST_F(Detect, StopsAtTheDepth) {
  add("1/2/3/4/package.json");
  add("1/2/3/4/5/package.json");
  EXPECT_THAT(found(), ElementsAre("node 1/2/3/4/package.json"));
  EXPECT_THAT(found({.depth = 0}), IsEmpty());
}

TEST_F(Detect, FollowsNoLinks) {
  add("real/package.json");
  fs::create_directory_symlink(m_root / "real", m_root / "link");
  fs::create_directory_symlink("..", m_root / "real/loop");
  fs::create_symlink("/etc/passwd", m_root / "Cargo.toml");
  EXPECT_THAT(found(), ElementsAre("node real/package.json"));
}

TEST_F(Detect, OnlyLookAlikesGiveNothing) {
  fs::create_directories(m_root / "package.json"); // a folder of that name
  add("package.json.bak");
  add("my-package.json");
  add("cargo.toml");
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Detect, ListsDirectoriesSoThatAChangeShows) {
  add("b/c/x");
  add("a/x");
  const auto before = run().directories;
  std::vector<std::string> paths;
  for (const auto& directory : before) {
    paths.push_back(directory.path);
  }
  EXPECT_THAT(paths, ElementsAre(".", "a", "b", "b/c"));
  EXPECT_EQ(run().directories, before);
  fs::last_write_time(m_root / "b/c", fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_NE(run().directories, before);
}

TEST_F(Detect, NeedsARoot) {
  const auto result = detect((m_root / "missing").string(), k_rules);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace sheaf::detect
