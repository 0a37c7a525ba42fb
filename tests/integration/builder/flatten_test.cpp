// SPDX-License-Identifier: Apache-2.0
// Several trees made one, against what overlayfs shows of them.
#include "builder/flatten.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/temp_dir.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace sheaf::builder {
namespace {

constexpr std::int64_t k_epoch = 1'500'000'000;

class FlattenTest : public testing::Test {
protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root for mounts and device nodes";
    }
    for (const auto* name : {"low", "high", "own", "into"}) {
      ASSERT_TRUE(os::make_directories(path(name)));
    }
  }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }

  void file(const std::string& name, const std::string& content, std::int64_t time = k_epoch, long nanoseconds = 0) {
    const auto full = path(name);
    ASSERT_TRUE(os::make_directories(full.substr(0, full.rfind('/'))));
    ASSERT_TRUE(os::write_file(full, content));
    const std::array<timespec, 2> times = {{{time, nanoseconds}, {time, nanoseconds}}};
    ASSERT_EQ(utimensat(AT_FDCWD, full.c_str(), times.data(), 0), 0);
  }

  void deletion(const std::string& name) { ASSERT_EQ(mknod(path(name).c_str(), S_IFCHR, makedev(0, 0)), 0); }

  void opaque(const std::string& name) {
    const auto at = os::open(path(name), O_RDONLY | O_DIRECTORY);
    ASSERT_TRUE(os::set_attribute(at.value(), std::string(os::overlay_prefix()) + "opaque", "y"));
  }

  Flattened run() {
    const auto made = flatten({path("low"), path("high")}, path("own"), k_epoch, path("into"));
    EXPECT_TRUE(made) << made.error().render();
    return made.value_or(Flattened());
  }

  std::string text(const std::string& name) const { return os::read_file(path("into/" + name)).value_or("(nothing)"); }
  struct stat look(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(lstat(path(name).c_str(), &info), 0) << name;
    return info;
  }

  os::TempDir m_directory = os::TempDir::create(std::filesystem::temp_directory_path().string(), "sheaf-").value();
};

TEST_F(FlattenTest, TheUpperTreeWinsAndDeletionsAreCarriedOut) {
  file("low/a", "low");
  file("low/gone", "low");
  file("low/folder/one", "low");
  file("low/replaced/inner", "low");
  file("low/becomes-file/inner", "low");
  file("high/a", "high");
  deletion("high/gone");
  file("high/folder/two", "high");
  file("high/replaced/other", "high");
  opaque("high/replaced");
  file("high/becomes-file", "high");
  file("own/a", "own");
  deletion("own/folder");
  run();
  EXPECT_EQ(text("a"), "own");
  EXPECT_EQ(text("replaced/other"), "high");
  EXPECT_EQ(text("becomes-file"), "high");
  EXPECT_FALSE(os::exists(path("into/gone")));
  EXPECT_FALSE(os::exists(path("into/folder")));
  EXPECT_FALSE(os::exists(path("into/replaced/inner")));
  const auto marks = os::attributes_at(os::open(path("into"), O_RDONLY | O_DIRECTORY).value(), "replaced");
  EXPECT_TRUE(marks->empty());
}

TEST_F(FlattenTest, FilesOfTheImageAreSharedIfNobodyHasToChangeThem) {
  file("low/old", "content");
  file("low/young", "content", k_epoch + 1);
  file("high/fraction", "content", k_epoch - 10, 5);
  file("own/mine", "content", k_epoch + 5);
  const auto made = run();
  EXPECT_EQ(look("into/old").st_ino, look("low/old").st_ino);
  EXPECT_NE(look("into/young").st_ino, look("low/young").st_ino);
  EXPECT_NE(look("into/fraction").st_ino, look("high/fraction").st_ino);
  EXPECT_EQ(look("into/mine").st_ino, look("own/mine").st_ino);
  EXPECT_EQ(look("into/young").st_mtim.tv_sec, k_epoch + 1);
  EXPECT_EQ(text("young"), "content");
  EXPECT_EQ(made.shared, 2U);
  EXPECT_EQ(made.copied, 2U);
}

TEST_F(FlattenTest, CopiesKeepOwnersModesAttributesAndSecondNames) {
  file("low/tool", "content", k_epoch + 1);
  ASSERT_EQ(chown(path("low/tool").c_str(), 12, 34), 0);
  ASSERT_EQ(chmod(path("low/tool").c_str(), 06755), 0);
  const std::string capability("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20); // cap_net_bind_service+ep, revision 2
  const auto folder = os::open(path("low"), O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(os::set_attribute_at(folder.value(), "tool", "security.capability", capability));
  ASSERT_TRUE(os::hard_link(path("low/tool"), path("low/zweiter")));
  ASSERT_EQ(symlink("tool", path("low/link").c_str()), 0);
  ASSERT_EQ(mkdir(path("low/private").c_str(), 0700), 0);
  ASSERT_EQ(chown(path("low/private").c_str(), 5, 6), 0);
  run();
  const auto tool = look("into/tool");
  EXPECT_EQ(tool.st_uid, 12U);
  EXPECT_EQ(tool.st_gid, 34U);
  EXPECT_EQ(tool.st_mode & 07777U, 06755U);
  EXPECT_EQ(tool.st_nlink, 2U);
  EXPECT_EQ(tool.st_ino, look("into/zweiter").st_ino);
  const auto attributes = os::attributes_at(os::open(path("into"), O_RDONLY | O_DIRECTORY).value(), "tool");
  EXPECT_EQ(attributes->at("security.capability"), capability);
  EXPECT_EQ(std::filesystem::read_symlink(path("into/link")), "tool");
  EXPECT_EQ(look("into/private").st_mode & 07777U, 0700U);
  EXPECT_EQ(look("into/private").st_uid, 5U);
}

TEST_F(FlattenTest, DevicesStayOut) {
  ASSERT_TRUE(os::make_directories(path("low/dev")));
  ASSERT_EQ(mknod(path("low/dev/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  ASSERT_EQ(mkfifo(path("low/pipe").c_str(), 0640), 0);
  const auto made = run();
  EXPECT_FALSE(os::exists(path("into/dev/null")));
  EXPECT_TRUE(os::is_directory(path("into/dev")));
  EXPECT_TRUE(S_ISFIFO(look("into/pipe").st_mode));
  EXPECT_EQ(made.left_out, 1U);
}

/// Memory if the tests are elsewhere, and /var/tmp if they are there.
std::string on_another_file_system(const std::string& path) {
  struct stat here {};
  struct stat memory {};
  EXPECT_EQ(stat(path.c_str(), &here), 0);
  return stat("/dev/shm", &memory) == 0 && here.st_dev != memory.st_dev ? "/dev/shm" : "/var/tmp";
}

TEST_F(FlattenTest, OtherFileSystemsGetCopies) {
  file("low/a", "content");
  file("own/b", "mine");
  const auto elsewhere = os::TempDir::create(on_another_file_system(m_directory.path()), "sheaf-").value();
  const auto made = flatten({path("low")}, path("own"), k_epoch, elsewhere.path());
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(made->copied, 2U);
  EXPECT_EQ(os::read_file(elsewhere.path() + "/a").value(), "content");
  EXPECT_EQ(os::read_file(elsewhere.path() + "/b").value(), "mine");
}

} // namespace
} // namespace sheaf::builder
