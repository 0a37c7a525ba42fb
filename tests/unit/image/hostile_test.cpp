// SPDX-License-Identifier: Apache-2.0
// Layers that want to do harm: nothing outside of the layer's tree is touched, and of those that are refused nothing
// stays.

#include <gmock/gmock.h>

#include "unit/image/image_support.hpp"

namespace sheaf::image {
namespace {

using archive::entry;
using archive::EntryType;
using archive::file;
using archive::folder;
using archive::hard_link;
using archive::link;
using archive::Packing;
using archive::tar;
using testing::HasSubstr;
using testing::IsEmpty;

class Hostile : public WithStore {
protected:
  void SetUp() override {
    ASSERT_TRUE(os::write_file(path("outside"), "untouched"));
    ASSERT_TRUE(os::make_directories(m_store.root() + "/unpacked"));
    ASSERT_TRUE(os::write_file(m_store.root() + "/unpacked/outside", "untouched"));
  }
  void TearDown() override {
    for (const auto& place : {path("outside"), m_store.root() + "/unpacked/outside"}) {
      EXPECT_EQ(os::read_file(place).value_or("<none>"), "untouched");
    }
  }
  Result<store::ImageRecord> import(const std::string& bytes, const ImportOptions& options = {}) {
    FakeSource source;
    source.add_layer(bytes, Packing::zstd);
    source.seal();
    return import_image(source, options, m_store, {});
  }
  void refused(const std::string& bytes, const std::string& message, const ImportOptions& options = {}) {
    const auto record = import(bytes, options);
    ASSERT_FALSE(record) << message;
    EXPECT_THAT(record.error().summary(), HasSubstr(message));
    auto left = kept(m_store);
    std::erase(left, "unpacked/outside");
    EXPECT_THAT(left, IsEmpty());
  }
  /// The tree of an image that is taken: harmless where it lies.
  std::string taken(const std::string& bytes) {
    const auto record = import(bytes);
    EXPECT_TRUE(record) << record.error().render();
    return record && !record->trees.empty() ? m_store.tree_path(record->trees.front()) : std::string("/nonexistent");
  }
};

TEST_F(Hostile, AbsoluteNamesStayInside) {
  const auto tree = taken(tar({file(path("outside"), "evil")}));
  EXPECT_EQ(os::read_file(tree + path("outside")).value(), "evil");
}

TEST_F(Hostile, NamesThatClimbStayInside) {
  const auto tree = taken(tar({file("../../outside", "evil"), file("a/../../outside2", "evil")}));
  EXPECT_EQ(os::read_file(tree + "/outside").value(), "evil");
  EXPECT_EQ(os::read_file(tree + "/outside2").value(), "evil");
}

TEST_F(Hostile, ALinkLeadsNowhereElse) {
  const auto tree = taken(tar({link("up", "../.."), file("up/outside", "evil")}));
  EXPECT_EQ(os::read_file(tree + "/outside").value(), "evil");
}

TEST_F(Hostile, AnAbsoluteLinkToAFolderOutsideIsRefused) {
  refused(tar({link("abs", m_store.root()), file("abs/unpacked/outside", "evil")}), "unpacking 'abs/unpacked/outside'");
}

TEST_F(Hostile, AFileDoesNotWriteThroughALink) {
  const auto tree = taken(tar({link("victim", path("outside")), file("victim", "mine")}));
  EXPECT_EQ(os::read_file(tree + "/victim").value(), "mine");
}

TEST_F(Hostile, AHardLinkDoesNotLeadOut) {
  refused(tar({hard_link("x", "../outside")}), "linking to '../outside'");
  refused(tar({hard_link("x", path("outside"))}), "linking to");
  refused(tar({link("l", ".."), hard_link("x", "l/outside")}), "linking to 'l/outside'");
}

TEST_F(Hostile, AHardLinkToALinkChangesNothingOutside) {
  auto opened = entry(EntryType::file, "h");
  opened.mode = 0777;
  const auto tree = taken(tar({link("l", path("outside")), hard_link("h", "l"), {opened, ""}}));
  struct stat info {};
  ASSERT_EQ(lstat((tree + "/l").c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
}

TEST_F(Hostile, WhiteoutsDeleteNothingAbove) {
  refused(tar({file(".wh...")}), "a whiteout of nothing");
  refused(tar({file("a/.wh..")}), "a whiteout of nothing");
  refused(tar({file(".wh.")}), "a whiteout of nothing");
  taken(tar({file("../../.wh.outside"), folder("d"), file("d/../.wh.other")}));
}

TEST_F(Hostile, AWhiteoutBehindALinkStaysInside) {
  const auto tree = taken(tar({link("up", "../.."), file("up/.wh.outside"), file("up/.wh..wh..opq")}));
  struct stat info {};
  ASSERT_EQ(lstat((tree + "/outside").c_str(), &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

TEST_F(Hostile, AReplacedParentIsNotFollowed) {
  const auto tree = taken(tar({folder("d"), file("d/a"), link("d", "../.."), file("d/outside", "evil")}));
  EXPECT_EQ(os::read_file(tree + "/outside").value(), "evil");
}

TEST_F(Hostile, TheLastOfEqualNamesWins) {
  const auto tree = taken(tar({file("a", "1"), folder("a"), file("a/b"), file("a", "2"), file("./a", "3")}));
  EXPECT_EQ(os::read_file(tree + "/a").value(), "3");
}

TEST_F(Hostile, ABombBySizeIsRefused) {
  ImportOptions options;
  options.most_bytes = 1'000'000;
  refused(tar({file("zeros", std::string(2'000'000, '\0'))}), "more than 1000000 bytes", options);
  std::vector<Member> many(20, file("x", std::string(100'000, '\0')));
  refused(tar(many), "more than 1000000 bytes", options);
}

TEST_F(Hostile, HolesCountAsWhatTheyMustBeReadAs) {
  // A sparse file of GNU's old format: 8 GiB of which one byte is there.
  std::string header(512, '\0');
  const auto put = [&header](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, "sparse");
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, "00000000001");
  put(136, "00000000000");
  put(156, "S");
  put(257, std::string("ustar  \0", 8));
  put(386, "77777777777"); // offset of the one part
  put(398, "00000000001");
  put(483, "100000000000");
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < header.size(); ++i) {
    sum += i >= 148 && i < 156 ? 0U : static_cast<unsigned char>(header[i]);
  }
  put(148, fmt::format("{:06o}", sum) + '\0' + ' ');
  ImportOptions options;
  options.most_bytes = 1'000'000;
  refused(header + std::string(512, 'x') + std::string(1024, '\0'), "more than 1000000 bytes", options);
}

TEST_F(Hostile, ABombBehindTheEndIsRefused) {
  ImportOptions options;
  options.most_bytes = 1'000;
  refused(tar({file("a")}) + std::string(std::size_t{70} << 20U, '\0'), "the layer is a tar of more than", options);
}

TEST_F(Hostile, ABombByCountIsRefused) {
  ImportOptions options;
  options.most_entries = 100;
  std::vector<Member> many;
  for (int i = 0; i < 101; ++i) {
    many.push_back(file("f" + std::to_string(i)));
  }
  refused(tar(many), "more than 100 entries", options);
}

TEST_F(Hostile, BadHeadersAreRefused) {
  auto cut = tar({file("a", std::string(5000, 'a'))});
  cut.resize(3000);
  refused(cut, "after entry 'a'");
  auto sum = tar({file("a"), file("b")});
  sum[1024 + 3] = 'x';
  refused(sum, "after entry 'a'");
  refused("this is no tar at all, whatever its type says", "");
  refused(std::string(5000, 'x'), "");
  refused(tar({file(std::string(70'000, 'n'))}), "a name in the archive has");
  refused(tar({file(std::string(5'000, 'n'))}), "File name too long");
}

TEST_F(Hostile, DeepPathsDoNotExhaustTheStack) {
  std::string deep;
  for (int i = 0; i < 1500; ++i) {
    deep += "d/";
  }
  const auto record = import(tar({file(deep + "f")}));
  EXPECT_TRUE(record) << record.error().render();
}

} // namespace
} // namespace sheaf::image
