// SPDX-License-Identifier: Apache-2.0
#include "builder/share_files.hpp"
#include "layer/inventory.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace sheaf::builder {
namespace {

constexpr time_t k_time = 1'000'000'000;

/// Two trees, "old" of a stored layer and "new" of one to be committed, and their inventories.
class ShareFiles : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  std::string file_path(const std::string& layer, const std::string& name) const {
    return path(layer + "/tree/" + name);
  }

  void file(const std::string& layer, const std::string& name, const std::string& content, time_t time = k_time,
            mode_t mode = 0644) {
    const auto full = file_path(layer, name);
    ASSERT_TRUE(os::make_directories(full.substr(0, full.rfind('/'))));
    ASSERT_TRUE(os::write_file(full, content));
    ASSERT_EQ(chmod(full.c_str(), mode), 0);
    set_time(full, time);
    m_inventories[layer].entries.push_back(entry(layer, name, content));
  }

  void hard_link(const std::string& layer, const std::string& first, const std::string& second) {
    ASSERT_TRUE(os::hard_link(file_path(layer, first), file_path(layer, second)));
    auto link = m_inventories[layer].entries.front();
    link.path = second;
    link.target = first;
    link.is_hard_link = true;
    m_inventories[layer].entries.push_back(link);
  }

  static void set_time(const std::string& full, time_t time) {
    const timespec times[2] = {{time, 0}, {time, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, full.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  struct stat look(const std::string& layer, const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(lstat(file_path(layer, name).c_str(), &info), 0) << name;
    return info;
  }
  bool shared(const std::string& name) const { return look("old", name).st_ino == look("new", name).st_ino; }

  SharedFiles share() {
    EXPECT_TRUE(os::write_file(path("old/inventory"), text("old")));
    store::StoredLayer donor;
    donor.path = path("old");
    const auto result = share_files(path("new/tree"), text("new"), {donor}, path("scratch"));
    EXPECT_TRUE(result) << result.error().summary();
    EXPECT_FALSE(os::exists(path("scratch")));
    return result.value_or(SharedFiles{});
  }

private:
  layer::Entry entry(const std::string& layer, const std::string& name, const std::string& content) const {
    const auto info = look(layer, name);
    layer::Entry entry;
    entry.path = name;
    entry.mode = info.st_mode & 07777U;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
    entry.mtime = info.st_mtim.tv_sec;
    entry.size = content.size();
    entry.digest = Digest::of(content);
    return entry;
  }

  std::string text(const std::string& layer) {
    auto& entries = m_inventories[layer].entries;
    std::ranges::sort(entries, {}, &layer::Entry::path);
    return layer::serialise(m_inventories[layer]);
  }

  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-share-").value();
  std::map<std::string, layer::Inventory> m_inventories;
};

TEST_F(ShareFiles, EqualFilesBecomeOne) {
  for (const auto* layer : {"old", "new"}) {
    file(layer, "usr/bin/tool", "the tool", k_time, 0755);
    file(layer, "usr/lib/a\tname", "tab");
    file(layer, "top", "t");
  }
  const auto result = share();
  EXPECT_EQ(result.files, 3U);
  EXPECT_EQ(result.bytes, 8U + 3U + 1U);
  EXPECT_TRUE(shared("usr/bin/tool"));
  EXPECT_TRUE(shared("usr/lib/a\tname"));
  EXPECT_TRUE(shared("top"));
  EXPECT_EQ(look("new", "usr/bin/tool").st_mode & 07777U, 0755U);
}

TEST_F(ShareFiles, UnequalFilesStayTwo) {
  file("old", "content", "a");
  file("new", "content", "b");
  file("old", "mode", "x", k_time, 0755);
  file("new", "mode", "x", k_time, 0644);
  file("old", "time", "x", k_time);
  file("new", "time", "x", k_time + 1);
  file("old", "here", "x");
  file("new", "there", "x");
  EXPECT_EQ(share().files, 0U);
  EXPECT_FALSE(shared("content"));
  EXPECT_FALSE(shared("mode"));
  EXPECT_FALSE(shared("time"));
}

TEST_F(ShareFiles, FoldersKeepTheirTimes) {
  file("old", "etc/f", "x");
  file("new", "etc/f", "x");
  set_time(file_path("new", "etc"), k_time);
  EXPECT_EQ(share().files, 1U);
  EXPECT_EQ(look("new", "etc").st_mtim.tv_sec, k_time);
  EXPECT_EQ(look("new", "etc").st_mtim.tv_nsec, 0);
}

TEST_F(ShareFiles, LinksWithinTheTreeStayTogether) {
  file("old", "a", "x");
  file("new", "a", "x");
  hard_link("new", "a", "b");
  EXPECT_EQ(share().files, 0U);
  EXPECT_FALSE(shared("a"));
  EXPECT_EQ(look("new", "a").st_ino, look("new", "b").st_ino);
}

TEST_F(ShareFiles, TheFirstOfADonorsLinksIsTaken) {
  file("old", "a", "x");
  hard_link("old", "a", "b");
  file("new", "a", "x");
  EXPECT_EQ(share().files, 1U);
  EXPECT_TRUE(shared("a"));
}

/// The file says otherwise than the inventory: somebody wrote into the stored layer.
TEST_F(ShareFiles, AChangedDonorIsNotTaken) {
  file("old", "size", "x");
  file("new", "size", "x");
  file("old", "time", "x");
  file("new", "time", "x");
  ASSERT_TRUE(os::write_file(file_path("old", "size"), "longer"));
  set_time(file_path("old", "size"), k_time);
  set_time(file_path("old", "time"), k_time + 5);
  EXPECT_EQ(share().files, 0U);
  EXPECT_EQ(os::read_file(file_path("new", "size")).value(), "x");
}

TEST_F(ShareFiles, ADonorThatIsASymlinkOrGoneIsNotTaken) {
  file("old", "link", "x");
  file("new", "link", "x");
  file("old", "gone/f", "x");
  file("new", "gone/f", "x");
  ASSERT_TRUE(os::remove_all(file_path("old", "link")));
  ASSERT_EQ(symlink(file_path("new", "link").c_str(), file_path("old", "link").c_str()), 0);
  ASSERT_TRUE(os::remove_all(file_path("old", "gone")));
  EXPECT_EQ(share().files, 0U);
  EXPECT_EQ(os::read_file(file_path("new", "gone/f")).value(), "x");
}

TEST_F(ShareFiles, TheOtherLayerMayGo) {
  file("old", "etc/f", "x");
  file("new", "etc/f", "x");
  EXPECT_EQ(share().files, 1U);
  ASSERT_TRUE(os::remove_all(path("old")));
  EXPECT_EQ(os::read_file(file_path("new", "etc/f")).value(), "x");
  EXPECT_EQ(look("new", "etc/f").st_nlink, 1U);
}

TEST_F(ShareFiles, ADamagedInventoryIsAnErrorForTheNewLayerOnly) {
  file("new", "etc/f", "x");
  store::StoredLayer donor;
  donor.path = path("nowhere");
  EXPECT_EQ(share_files(path("new/tree"), "garbage", {donor}, path("scratch")).error().code(), ErrorCode::corrupt);
  const auto result = share_files(path("new/tree"), layer::serialise({}), {donor}, path("scratch"));
  EXPECT_EQ(result.value().files, 0U);
}

} // namespace
} // namespace sheaf::builder
