// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sbom/image_diff.hpp"
#include "unit/sbom/sbom_support.hpp"

namespace sheaf::sbom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string status(const std::vector<std::pair<std::string, std::string>>& packages) {
  std::string text;
  for (const auto& [name, version] : packages) {
    text += "Package: " + name + "\nStatus: install ok installed\nArchitecture: all\nVersion: " + version + "\n\n";
  }
  return text;
}

/// "~ path mode,content"
std::vector<std::string> lines_of(const ImageDiff& diff) {
  std::vector<std::string> lines;
  for (const auto& change : diff.files) {
    std::string line = (!change.before ? "+ " : !change.after ? "- " : "~ ") + change.path();
    for (const auto aspect : change.aspects) {
      line += " " + std::string(to_string(aspect));
    }
    lines.push_back(line);
  }
  return lines;
}

class ImageDiffTest : public testing::Test {
protected:
  void SetUp() override {
    m_trees.add("base");
    m_trees.add("a");
    m_trees.add("b");
    m_trees.file("base", "etc/same", "same");
    m_trees.file("base", "etc/late", "base");
  }
  ImageDiff diff() const { return diff_images(m_trees.stack({"base", "a"}), m_trees.stack({"base", "b"})).value(); }
  const TestTrees& trees() const { return m_trees; }

private:
  TestTrees m_trees;
};

TEST_F(ImageDiffTest, SaysWhatOfAFileDiffers) {
  for (const auto* side : {"a", "b"}) {
    const bool first = std::string_view(side) == "a";
    trees().file(side, "etc/content", first ? "one" : "two");
    trees().file(side, "etc/copy", "equal");
    trees().file(side, "etc/mode", "x", first ? 0644 : 0600);
    trees().link(side, "etc/link", first ? "x" : "y");
  }
  trees().file("a", "etc/type", "file");
  trees().link("b", "etc/type", "link");
  trees().deletion("b", "etc/late");
  const auto found = diff();
  EXPECT_THAT(lines_of(found), ElementsAre("~ etc/content content", "- etc/late", "~ etc/link target",
                                           "~ etc/mode mode", "~ etc/type type"));
  EXPECT_EQ(found.bytes_before, 3U + 4U + 4U);
  EXPECT_EQ(found.bytes_after, 3U);
  EXPECT_EQ(diff_text(found), "files: 11 B gone, 3 B new\n"
                              "  ~ /etc/content  content, 3 B\n"
                              "  - /etc/late  4 B\n"
                              "  ~ /etc/link  x -> y\n"
                              "  ~ /etc/mode  mode 0644 -> 0600\n"
                              "  ~ /etc/type  file -> link\n");
}

TEST_F(ImageDiffTest, ListsAllThatIsInAFolder) {
  trees().file("b", "opt/x/y/file", "123");
  trees().file("b", "opt/x-file", "1");
  trees().folder("a", "srv");
  const auto found = diff();
  EXPECT_THAT(lines_of(found), ElementsAre("+ opt", "+ opt/x", "+ opt/x/y", "+ opt/x/y/file", "+ opt/x-file", "- srv"));
  EXPECT_EQ(diff_text(found), "files: 0 B gone, 4 B new\n  + /opt/  4 entries, 4 B\n  - /srv/  empty\n");
}

TEST_F(ImageDiffTest, AFolderInPlaceOfAFile) {
  trees().file("a", "x", "file");
  trees().file("b", "x/inner", "12");
  EXPECT_THAT(lines_of(diff()), ElementsAre("~ x type mode", "+ x/inner"));
}

TEST_F(ImageDiffTest, ComparesPackages) {
  trees().file("a", "var/lib/dpkg/status", status({{"changed", "1"}, {"gone", "1"}, {"same", "1"}}));
  trees().file("b", "var/lib/dpkg/status", status({{"changed", "2"}, {"new", "1"}, {"same", "1"}}));
  trees().file("a", "node_modules/x/package.json", R"({"name": "x", "version": "1"})");
  trees().file("b", "node_modules/y/node_modules/x/package.json", R"({"name": "x", "version": "1"})");
  const auto found = diff();
  EXPECT_THAT(found.packages, ElementsAre(PackageChange{PackageType::deb, "changed", "all", "1", "2"},
                                          PackageChange{PackageType::deb, "gone", "all", "1", std::nullopt},
                                          PackageChange{PackageType::deb, "new", "all", std::nullopt, "1"}));
  EXPECT_THAT(diff_text(found), testing::StartsWith("packages\n"
                                                    "  ~ deb  changed:all  1 -> 2\n"
                                                    "  - deb  gone:all     1\n"
                                                    "  + deb  new:all      1\n\nfiles: "));
}

TEST_F(ImageDiffTest, MoreThanOneVersionIsNotPaired) {
  trees().file("a", "node_modules/x/package.json", R"({"name": "x", "version": "1"})");
  trees().file("b", "node_modules/x/package.json", R"({"name": "x", "version": "2"})");
  trees().file("b", "node_modules/y/node_modules/x/package.json", R"({"name": "x", "version": "3"})");
  EXPECT_THAT(diff().packages, ElementsAre(PackageChange{PackageType::npm, "x", "", "1", std::nullopt},
                                           PackageChange{PackageType::npm, "x", "", std::nullopt, "2"},
                                           PackageChange{PackageType::npm, "x", "", std::nullopt, "3"}));
}

TEST_F(ImageDiffTest, EqualContentsInOtherTreesDoNotDiffer) {
  trees().file("a", "etc/late", "new");
  trees().file("b", "etc/late", "new");
  trees().file("b", "etc/same", "same");
  const auto found = diff();
  EXPECT_THAT(found.files, IsEmpty());
  EXPECT_EQ(diff_text(found), "");
}

TEST_F(ImageDiffTest, JsonListsEverySide) {
  trees().file("a", "var/lib/dpkg/status", status({{"gone", "1"}}));
  trees().file("b", "etc/same", "other");
  const auto json = nlohmann::json::parse(diff_json(diff()));
  EXPECT_EQ(json["packages"][0]["name"], "gone");
  EXPECT_TRUE(json["packages"][0]["after"].is_null());
  EXPECT_EQ(json["files"][0]["path"], "/etc/same");
  EXPECT_EQ(json["files"][0]["differs"], nlohmann::json::array({"content"}));
  EXPECT_EQ(json["files"][0]["after"]["size"], 5);
  EXPECT_EQ(json["files"].back()["path"], "/var/lib/dpkg/status");
  EXPECT_TRUE(json["files"].back()["after"].is_null());
}

} // namespace
} // namespace sheaf::sbom
