// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/tree_digest.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

namespace sheaf::store {
namespace {

class TreeDigestTest : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void write(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(os::write_file(path(name), content));
  }
  TreeDigest digest(const KnownContents& known = {}) const { return digest_tree(m_directory.path(), known).value(); }
  ino_t inode(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(lstat(path(name).c_str(), &info), 0);
    return info.st_ino;
  }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-digest-").value();
};

/// Whoever wrote the files need not have them read again; the tree has the same digest either way.
TEST_F(TreeDigestTest, KnownContentsAreNotRead) {
  write("a", "one");
  write("b", "two");
  ASSERT_EQ(link(path("a").c_str(), path("c").c_str()), 0);
  const auto read = digest();
  const auto known = digest({{inode("a"), Digest::of("one")}});
  EXPECT_EQ(known.content, read.content);
  EXPECT_EQ(known.exact, read.exact);
  EXPECT_EQ(known.bytes, 6U);
  EXPECT_EQ(known.files, 3U);
  // It is believed, not compared.
  EXPECT_NE(digest({{inode("a"), Digest::of("other")}}).content, read.content);
  write("b", "too");
  EXPECT_NE(digest({{inode("a"), Digest::of("one")}}).content, read.content);
}

} // namespace
} // namespace sheaf::store
