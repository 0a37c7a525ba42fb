// SPDX-License-Identifier: Apache-2.0
// COPY and ADD into a directory that stands for a root file system, hostile sources included: by root, and by an
// ordinary user who is root of a user namespace with one id.

#include "archive/tar_writer.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "os/temp_dir.hpp"
#include "sandbox/copy_files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>

namespace sheaf::sandbox {
namespace {

using testing::HasSubstr;

constexpr unsigned k_nobody = 65534;

enum class Caller { root, user };

bool put(const char* path, const std::string& text) {
  const auto file = os::open(path, O_WRONLY);
  return file && os::write_all(*file, text).has_value();
}

class CopyIntoRoot : public testing::TestWithParam<Caller> {
protected:
  void SetUp() override {
    if (os::effective_uid() != 0) {
      GTEST_SKIP() << "needs root, which also becomes the ordinary user";
    }
    ASSERT_TRUE(os::make_directories(path("context")));
    ASSERT_TRUE(os::make_directories(path("root/etc")));
    ASSERT_TRUE(os::write_file(path("root/etc/passwd"), "app:x:0:0::/:\n"));
    ASSERT_TRUE(os::write_file(path("outside"), "untouched"));
  }
  void TearDown() override { EXPECT_EQ(content("outside"), "untouched"); }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void file(const std::string& name, const std::string& text = "x", mode_t mode = 0644) const {
    const auto full = path(name);
    ASSERT_TRUE(os::make_directories(full.substr(0, full.rfind('/'))));
    ASSERT_TRUE(os::write_file(full, text));
    ASSERT_EQ(chmod(full.c_str(), mode), 0);
  }
  void link(const std::string& target, const std::string& name) const {
    ASSERT_EQ(symlink(target.c_str(), path(name).c_str()), 0);
  }
  std::string content(const std::string& name) const { return os::read_file(path(name)).value_or("<none>"); }
  struct stat info(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(lstat(path(name).c_str(), &info), 0) << name;
    return info;
  }
  mode_t mode(const std::string& name) const { return info(name).st_mode & 07777U; }

  CopyFiles copy_of(const std::vector<std::string>& sources, const std::string& destination) const {
    CopyFiles copy;
    copy.tree = {path("context")};
    copy.sources = sources;
    copy.destination = destination;
    return copy;
  }

  /// Copies as the caller of this case in a child, because entering a namespace cannot be undone: what went wrong, or
  /// nothing.
  std::string run(const CopyFiles& copy) const {
    if (GetParam() == Caller::user) {
      EXPECT_EQ(std::system(fmt::format("chown -Rh {} '{}'", k_nobody, m_directory.path()).c_str()), 0); // NOLINT
    }
    const auto report = path("report");
    const pid_t child = os::fork_alone();
    if (child == 0) {
      const auto out = os::open(report, O_WRONLY | O_CREAT | O_TRUNC, 0666);
      if (!out || !become_caller()) {
        _exit(2);
      }
      const auto done = copy_files(copy, path("root"));
      ignore(os::write_all(*out, done ? "" : done.error().summary()), "reporting to the test");
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    return content("report");
  }
  bool is_user() const { return GetParam() == Caller::user; }

private:
  bool become_caller() const {
    if (GetParam() == Caller::root) {
      return true;
    }
    return setresgid(k_nobody, k_nobody, k_nobody) == 0 && setresuid(k_nobody, k_nobody, k_nobody) == 0 &&
           prctl(PR_SET_DUMPABLE, 1) == 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", fmt::format("0 {} 1", k_nobody)) &&
           put("/proc/self/gid_map", fmt::format("0 {} 1", k_nobody));
  }

  os::TempDir m_directory = os::TempDir::create("/dev/shm", "sheaf-copy-").value();
};

TEST_P(CopyIntoRoot, DestinationsAreFilesOrFolders) {
  file("context/a", "1");
  file("context/dir/b", "2");
  EXPECT_EQ(run(copy_of({"a"}, "/new")), "");
  EXPECT_EQ(run(copy_of({"a"}, "/into/deep/")), "");
  EXPECT_EQ(run(copy_of({"a"}, "/etc")), "");
  EXPECT_EQ(run(copy_of({"dir"}, "/tree")), "");
  EXPECT_EQ(run(copy_of({"a", "dir"}, "/both/")), "");
  EXPECT_EQ(content("root/new"), "1");
  EXPECT_EQ(content("root/into/deep/a"), "1");
  EXPECT_EQ(mode("root/into/deep"), 0755U);
  EXPECT_EQ(content("root/etc/a"), "1");
  EXPECT_EQ(content("root/tree/b"), "2");
  EXPECT_EQ(content("root/both/a"), "1");
  EXPECT_EQ(content("root/both/b"), "2");
  EXPECT_THAT(run(copy_of({"a", "dir/b"}, "/one")), HasSubstr("2 sources cannot become the one file '/one'"));
  EXPECT_THAT(run(copy_of({"dir"}, "/new")), HasSubstr("'/new' is not a folder"));
  EXPECT_THAT(run(copy_of({"a"}, "/new/x")), HasSubstr("'/new' is not a folder"));
  file("context/top/etc", "a file");
  EXPECT_THAT(run(copy_of({"top"}, "/")), HasSubstr("there is a folder 'etc' already"));
  file("context/over/new/x", "a folder");
  EXPECT_THAT(run(copy_of({"over"}, "/")), HasSubstr("there is a file 'new' already"));
}

TEST_P(CopyIntoRoot, LinksOfTheDestinationStayInside) {
  file("context/a", "1");
  ASSERT_TRUE(os::make_directories(path("root/usr/lib")));
  link("usr/lib", "root/lib");
  link("/../../../outside", "root/escape");
  link(path("outside"), "root/absolute");
  link("../outside", "root/etc/a");
  EXPECT_EQ(run(copy_of({"a"}, "/lib/")), "");
  EXPECT_EQ(content("root/usr/lib/a"), "1");
  EXPECT_EQ(run(copy_of({"a"}, "/escape")), "");
  EXPECT_EQ(content("root/outside"), "1");
  EXPECT_EQ(run(copy_of({"a"}, "/absolute")), "");
  EXPECT_EQ(content("root" + path("outside")), "1");
  EXPECT_EQ(run(copy_of({"a"}, "/etc/")), "");
  EXPECT_TRUE(S_ISREG(info("root/etc/a").st_mode));
  file("context/tree/lib/x");
  EXPECT_THAT(run(copy_of({"tree"}, "/")), HasSubstr("there is a link 'lib' already"));
}

TEST_P(CopyIntoRoot, HostileContextsTakeNothingFromOutside) {
  link(path("outside"), "context/steal");
  link("../outside", "context/climb");
  ASSERT_TRUE(os::make_directories(path("context/sub")));
  link("../../outside", "context/sub/inner");
  EXPECT_THAT(run(copy_of({"steal"}, "/x")), HasSubstr("there is no '/steal' to copy"));
  EXPECT_THAT(run(copy_of({"climb"}, "/x")), HasSubstr("there is no '/climb' to copy"));
  EXPECT_THAT(run(copy_of({"../outside"}, "/x")), HasSubstr("there is no '/outside' to copy"));
  EXPECT_EQ(run(copy_of({"sub"}, "/s")), "");
  EXPECT_TRUE(S_ISLNK(info("root/s/inner").st_mode));
}

TEST_P(CopyIntoRoot, SpecialFiles) {
  ASSERT_TRUE(os::make_directories(path("context/d")));
  ASSERT_EQ(mkfifo(path("context/d/fifo").c_str(), 0640), 0);
  ASSERT_EQ(mknod(path("context/d/socket").c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_EQ(run(copy_of({"d"}, "/d")), "");
  EXPECT_TRUE(S_ISFIFO(info("root/d/fifo").st_mode));
  EXPECT_EQ(mode("root/d/fifo"), 0640U);
  EXPECT_FALSE(os::exists(path("root/d/socket")));
  ASSERT_EQ(mknod(path("context/null").c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
  const auto problem = run(copy_of({"null"}, "/null"));
  if (is_user()) {
    EXPECT_THAT(problem, HasSubstr("'null' is a device, which only root can make"));
  } else {
    EXPECT_EQ(problem, "");
    EXPECT_EQ(info("root/null").st_rdev, makedev(1, 3));
  }
}

TEST_P(CopyIntoRoot, AnyNameWillDo) {
  file("context/d/a\nb", "1");
  file("context/d/\xFF\xFE", "2");
  EXPECT_EQ(run(copy_of({"d"}, "/d")), "");
  EXPECT_EQ(content("root/d/a\nb"), "1");
  EXPECT_EQ(content("root/d/\xFF\xFE"), "2");
}

TEST_P(CopyIntoRoot, FoldersThatAreThereTakeOverWhatTheSourceHas) {
  file("context/d/sub/x");
  ASSERT_EQ(chmod(path("context/d/sub").c_str(), 0711), 0);
  ASSERT_EQ(chmod(path("context/d").c_str(), 0700), 0);
  file("root/there/sub/old");
  EXPECT_EQ(run(copy_of({"d"}, "/there")), "");
  EXPECT_EQ(mode("root/there"), 0755U);
  EXPECT_EQ(mode("root/there/sub"), 0711U);
  EXPECT_EQ(content("root/there/sub/old"), "x");
}

TEST_P(CopyIntoRoot, ModesOwnersAndTimes) {
  file("context/d/tool", "x", 04711);
  file("context/d/text", "x", 0640);
  auto copy = copy_of({"d"}, "/d");
  copy.epoch = 1000;
  EXPECT_EQ(run(copy), "");
  EXPECT_EQ(mode("root/d/tool"), is_user() ? 0711U : 04711U); // the chown of the test took setuid away
  EXPECT_EQ(mode("root/d/text"), 0640U);
  EXPECT_EQ(info("root/d/tool").st_mtime, 1000);
  EXPECT_EQ(info("root/d").st_mtime, 1000);
  copy.mode = "u=rwX,go=rX";
  EXPECT_EQ(run(copy), "");
  EXPECT_EQ(mode("root/d/tool"), 0755U);
  EXPECT_EQ(mode("root/d/text"), 0644U);
  copy.mode = "2750";
  EXPECT_EQ(run(copy), "");
  EXPECT_EQ(mode("root/d/text"), 02750U);
  copy.owner = "nobody-knows";
  EXPECT_THAT(run(copy), HasSubstr("nobody-knows"));
  copy.owner = "app";
  EXPECT_EQ(run(copy), "");
  if (!is_user()) {
    copy.owner = "12:34";
    copy.destination = "/made/here";
    EXPECT_EQ(run(copy), "");
    EXPECT_EQ(info("root/made").st_uid, 12U);
    EXPECT_EQ(info("root/made/here/tool").st_gid, 34U);
    ASSERT_EQ(chown(path("context/d/text").c_str(), 56, 78), 0);
    copy = copy_of({"d"}, "/kept");
    copy.keep_owners = true;
    EXPECT_EQ(run(copy), "");
    EXPECT_EQ(info("root/kept/text").st_uid, 56U);
    copy.keep_owners = false;
    EXPECT_EQ(run(copy), "");
    EXPECT_EQ(info("root/kept/text").st_uid, 0U);
  }
}

TEST_P(CopyIntoRoot, HardLinksHolesAndParents) {
  file("context/p/q/a", "1");
  ASSERT_EQ(::link(path("context/p/q/a").c_str(), path("context/p/q/b").c_str()), 0);
  ASSERT_EQ(chmod(path("context/p").c_str(), 0750), 0);
  file("context/hole");
  ASSERT_EQ(truncate(path("context/hole").c_str(), off_t{1} << 34U), 0);
  auto copy = copy_of({"p/q"}, "/dest/");
  copy.parents = true;
  EXPECT_EQ(run(copy), "");
  EXPECT_EQ(info("root/dest/p/q/a").st_ino, info("root/dest/p/q/b").st_ino);
  EXPECT_EQ(mode("root/dest/p"), 0750U);
  EXPECT_EQ(run(copy_of({"hole"}, "/hole")), "");
  EXPECT_EQ(info("root/hole").st_size, std::int64_t{1} << 34U);
  EXPECT_LT(info("root/hole").st_blocks, 1000);
}

TEST_P(CopyIntoRoot, SeveralLowersAreOneTree) {
  file("lower1/d/a", "old");
  file("lower1/d/b", "1");
  file("lower2/d/a", "new");
  auto copy = copy_of({"d"}, "/d");
  copy.tree = {path("lower1"), path("lower2")};
  EXPECT_EQ(run(copy), "");
  EXPECT_EQ(content("root/d/a"), "new");
  EXPECT_EQ(content("root/d/b"), "1");
}

TEST_P(CopyIntoRoot, IgnoredAndExcludedFilesStayAway) {
  file("context/a.log");
  file("context/b.txt");
  file("context/c");
  auto copy = copy_of({"."}, "/all/");
  copy.ignore = "# logs\n*.log\n";
  copy.excludes = {"*.txt"};
  EXPECT_EQ(run(copy), "");
  EXPECT_FALSE(os::exists(path("root/all/a.log")));
  EXPECT_FALSE(os::exists(path("root/all/b.txt")));
  EXPECT_TRUE(os::exists(path("root/all/c")));
  copy.ignore = "[";
  EXPECT_THAT(run(copy), HasSubstr("reading '.dockerignore'"));
}

/// One file, one link out of the root and one file through it.
std::string hostile_archive() {
  const auto out = os::memory_file("").value();
  archive::TarWriter writer(out);
  for (const auto& [type, name, target] : std::vector<std::tuple<archive::EntryType, std::string, std::string>>{
           {archive::EntryType::directory, "d", ""},
           {archive::EntryType::symlink, "d/up", "../../../.."},
           {archive::EntryType::file, "d/up/outside", ""},
           {archive::EntryType::file, "/../../outside2", ""}}) {
    archive::Entry entry;
    entry.path = name;
    entry.type = type;
    entry.mode = 0755;
    entry.target = target;
    EXPECT_TRUE(writer.add(entry, nullptr));
  }
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(lseek(out.get(), 0, SEEK_SET), 0);
  return os::read_all(out).value();
}

TEST_P(CopyIntoRoot, ArchivesAreUnpackedInsideOnly) {
  file("context/a.tar", hostile_archive());
  file("context/text", "text");
  auto copy = copy_of({"a.tar", "text"}, "/opt/");
  EXPECT_EQ(run(copy), "");
  EXPECT_TRUE(os::exists(path("root/opt/a.tar")));
  copy.unpack_sources = true;
  copy.destination = "/add/";
  EXPECT_EQ(run(copy), "");
  EXPECT_TRUE(S_ISLNK(info("root/add/d/up").st_mode));
  EXPECT_TRUE(os::exists(path("root/add/outside")));
  EXPECT_TRUE(os::exists(path("root/add/outside2")));
  EXPECT_EQ(content("root/add/text"), "text");
  EXPECT_FALSE(os::exists(path("root/add/a.tar")));
}

TEST_P(CopyIntoRoot, FilesFromElsewhere) {
  file("download", "bytes", 0600);
  file("clone/.git/HEAD", "ref");
  file("clone/readme", "hello");
  CopyFiles copy;
  copy.files = {{path("download"), "name.bin", false, 0644U}, {path("clone"), "repo", true, std::nullopt}};
  copy.excludes = {".git"};
  copy.destination = "/got/";
  EXPECT_EQ(run(copy), "");
  EXPECT_EQ(content("root/got/name.bin"), "bytes");
  EXPECT_EQ(mode("root/got/name.bin"), 0644U);
  EXPECT_EQ(content("root/got/readme"), "hello");
  EXPECT_FALSE(os::exists(path("root/got/.git")));
  copy.mode = "0400";
  EXPECT_EQ(run(copy), "");
  EXPECT_EQ(mode("root/got/name.bin"), 0400U);
}

TEST_P(CopyIntoRoot, DeepTreesAndManyFiles) {
  std::string deep = "context/deep";
  for (int i = 0; i < 1000; ++i) {
    deep += "/d";
  }
  file(deep + "/x");
  for (int i = 0; i < 20'000; ++i) {
    if (i % 100 == 0) {
      ASSERT_TRUE(os::make_directories(path(fmt::format("context/many/{}", i / 100))));
    }
    const auto name = path(fmt::format("context/many/{}/{}", i / 100, i));
    ASSERT_TRUE(os::write_all(os::open(name, O_WRONLY | O_CREAT, 0644).value(), "small"));
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run(copy_of({"."}, "/")), "");
  RecordProperty(
      "milliseconds",
      static_cast<int>(
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count()));
  EXPECT_EQ(content("root/many/199/19999"), "small");
  EXPECT_TRUE(os::exists(path("root" + deep.substr(7) + "/x")));
}

INSTANTIATE_TEST_SUITE_P(By, CopyIntoRoot, testing::Values(Caller::root, Caller::user),
                         [](const auto& info) { return info.param == Caller::root ? "Root" : "User"; });

} // namespace
} // namespace sheaf::sandbox
