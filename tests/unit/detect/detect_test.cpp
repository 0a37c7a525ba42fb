// SPDX-License-Identifier: Apache-2.0
#include "detect/detect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sheaf::detect {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const std::array<Rule, 10> k_rules = {{{"rust", "Cargo.toml"},
                                       {"node", ".nvmrc", "first-line", false, false},
                                       {"node", ".tool-versions", "nodejs", false, false},
                                       {"node", "package.json", "engines.node"},
                                       {"node", "package-lock.json"},
                                       {"go", "go.mod", "toolchain"},
                                       {"go", "go.mod", "go", true},
                                       {"rust", ".tool-versions", "rust", false, false},
                                       {"tf", "*.tf"},
                                       {"ci", "ci/*.yml"}}};

/// A folder of the test's own, removed at its end.
class Detect : public testing::Test {
protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "sheaf-detect-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    m_root = pattern;
  }
  void TearDown() override { fs::remove_all(m_root); }

  void add(const std::string& file, const std::string& contents = "{}") const {
    fs::create_directories((m_root / file).parent_path());
    std::ofstream(m_root / file) << contents;
  }

  Detection run(const Options& options = {}) const {
    auto result = detect(m_root.string(), k_rules, options);
    EXPECT_TRUE(result.has_value());
    return result.value_or(Detection());
  }

  std::vector<std::string> found(const Options& options = {}) const {
    std::vector<std::string> texts;
    for (const auto& finding : run(options).findings) {
      texts.push_back(finding.layer + " " + finding.file +
                      (finding.line > 0 ? ":" + std::to_string(finding.line) + " " + finding.version : ""));
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
  EXPECT_EQ(run().findings.at(1), (Finding{"rust", "backend/Cargo.toml", 0, "Cargo.toml", "", true, 0}));
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
  EXPECT_THAT(run().seen, testing::SizeIs(1));
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

TEST_F(Detect, ReadsWantedVersions) {
  add("package.json", "{\n\"engines\": {\"node\": \">=18\"}}");
  add("app/go.mod", "module x\ngo 1.21\ntoolchain go1.22.3\n");
  add("lib/go.mod", "module y\n");
  add(".tool-versions", "nodejs 20.1.0\nrust 1.70\n");
  add("app/.nvmrc", "lts/iron");
  EXPECT_THAT(found(), ElementsAre("node .tool-versions:1 20.1.0", "rust .tool-versions:2 1.70",
                                   "node package.json:2 >=18", "node app/.nvmrc:1 lts/iron", "go app/go.mod:2 >=1.21",
                                   "go app/go.mod:3 go1.22.3", "go lib/go.mod"));
  EXPECT_EQ(run().findings.at(2).what, "package.json: engines.node");
  EXPECT_TRUE(run().findings.at(2).calls);
  EXPECT_FALSE(run().findings.at(0).calls);
}

TEST_F(Detect, VersionsNearTheRootCountFirstThenTheOrderOfTheRules) {
  add("package.json", R"({"engines": {"node": "1"}})");
  add(".tool-versions", "nodejs 2");
  add(".nvmrc", "3");
  add("a/.nvmrc", "4");
  add("a/go.mod", "go 1.21\ntoolchain go1.22.3\n");
  std::vector<std::string> versions;
  for (const auto& finding : versions_for(run(), "node")) {
    versions.push_back(finding.version);
  }
  EXPECT_THAT(versions, ElementsAre("3", "2", "1", "4"));
  EXPECT_EQ(versions_for(run(), "go").front().version, "go1.22.3");
  EXPECT_THAT(versions_for(run(), "rust"), IsEmpty());
}

TEST_F(Detect, SaysWhichFilesItCouldNotRead) {
  add("package.json", "{\n");
  add("a/package.json", std::string((1 << 20) + 1, ' '));
  add("b/go.mod", std::string(1 << 20, ' ')); // read as two rules want, and without a version
  EXPECT_THAT(found(), ElementsAre("node package.json", "node a/package.json", "go b/go.mod"));
  EXPECT_THAT(run().unread, ElementsAre(Unread{"a/package.json", "it cannot be read, or has more than 1 MB"},
                                        Unread{"package.json", "line 2 is not JSON"}));
}

TEST_F(Detect, HonoursIgnoreFiles) {
  add(".gitignore", "/build/\n*.tf\n!keep.tf\ngenerated\n");
  add("a/.gitignore", "package.json\n");
  add(".git/info/exclude", "/local\n");
  add("build/package.json");
  add("x/build/package.json");
  add("main.tf");
  add("a/keep.tf");
  add("a/package.json");
  add("a/generated/Cargo.toml");
  add("local/Cargo.toml");
  add("b/local/Cargo.toml");
  EXPECT_THAT(found(), ElementsAre("tf a/keep.tf", "rust b/local/Cargo.toml", "node x/build/package.json"));
}

TEST_F(Detect, AnIgnoreFileThatIsALinkIsNone) {
  add("patterns", "package.json\n");
  fs::create_symlink("patterns", m_root / ".gitignore");
  add("package.json");
  EXPECT_THAT(found(), ElementsAre("node package.json"));
}

TEST_F(Detect, ListsWhatItReadSoThatAChangeShows) {
  add("b/c/x");
  add("a/package.json");
  add("a/.gitignore");
  const auto before = run().seen;
  std::string paths;
  for (const auto& seen : before) {
    paths += seen.path + " ";
  }
  EXPECT_EQ(paths, ". a a/.gitignore a/package.json b b/c ");
  EXPECT_EQ(run().seen, before);
  for (const auto* path : {"b/c", "a/package.json", "a/.gitignore"}) {
    const auto time = fs::last_write_time(m_root / path);
    fs::last_write_time(m_root / path, fs::file_time_type::clock::now() - std::chrono::hours(1));
    EXPECT_NE(run().seen, before) << path;
    fs::last_write_time(m_root / path, time);
  }
}

/// So many folders are read by several threads; nothing of that may show.
TEST_F(Detect, ManyFoldersGiveTheSameEachTime) {
  constexpr int k_folders = 400;
  std::vector<std::string> expected;
  for (int i = 0; i < k_folders; ++i) {
    const auto top = "top" + std::to_string(i % 20);
    const auto folder = top + "/part" + std::to_string(i) + "/inner";
    add(folder + "/Cargo.toml");
    add(folder + "/ignored/Cargo.toml");
    add(top + "/.gitignore", "ignored/\n" + top + "-only/\n");
    add(folder + "/" + top + "-only/package.json");
    add(folder + "/kept/top" + std::to_string(i % 20 + 1) + "-only/main.tf");
    expected.push_back("rust " + folder + "/Cargo.toml");
  }
  std::ranges::sort(expected);
  const auto first = run();
  for (int times = 0; times < 5; ++times) {
    EXPECT_EQ(found(), expected);
    EXPECT_EQ(run().findings, first.findings);
    EXPECT_EQ(run().seen, first.seen);
  }
  EXPECT_EQ(found({.depth = 5}).size(), 2U * k_folders); // "kept" lies deeper
}

TEST_F(Detect, NeedsARoot) {
  const auto result = detect((m_root / "missing").string(), k_rules);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace sheaf::detect
