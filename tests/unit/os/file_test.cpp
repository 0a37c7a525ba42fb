// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"

#include <gmock/gmock.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  const auto entries = list_directory(path).value();
  for (const auto& entry : entries) {
    names.push_back(entry.name);
  }
  return names;
}

using File = InTempDir;

TEST_F(File, WriteReplacesTheWholeFileAndLeavesNothingBeside) {
  ASSERT_TRUE(write_file(path("a"), "a long first text"));
  ASSERT_TRUE(write_file(path("a"), "new", Durable::yes, 0600));
  EXPECT_EQ(read_file(path("a")).value(), "new");
  EXPECT_THAT(names_in(root()), ElementsAre("a"));
  EXPECT_EQ(stat_of(open(path("a"), O_RDONLY).value()).value().st_mode & 07777U, 0600U);
}

TEST_F(File, ReadersKeepTheOldTextWhileItIsReplaced) {
  write("a", "old");
  const auto reader = open(path("a"), O_RDONLY).value();
  write("a", "new");
  EXPECT_EQ(read_all(reader).value(), "old");
}

TEST_F(File, AFailedWriteLeavesNothingBehind) {
  make("target/full");
  EXPECT_FALSE(write_file(path("target"), "text"));
  EXPECT_THAT(names_in(root()), ElementsAre("target"));
  const auto missing = write_file(path("no/such"), "text");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
  EXPECT_THAT(missing.error().summary(), HasSubstr("no/such"));
}

TEST_F(File, WriteReplacesASymlinkAndNotItsTarget) {
  write("target", "target");
  link("target", "link");
  write("link", "text");
  EXPECT_EQ(read_file(path("target")).value(), "target");
  EXPECT_EQ(read_file(path("link")).value(), "text");
}

TEST_F(File, ReadIfExistsTellsAbsenceFromFailure) {
  EXPECT_EQ(read_file_if_exists(path("none")).value(), std::nullopt);
  EXPECT_FALSE(read_file_if_exists(root()));
}

TEST_F(File, ExistsSeesDanglingSymlinks) {
  link("nowhere", "dangling");
  EXPECT_TRUE(exists(path("dangling")));
  EXPECT_FALSE(exists(path("nowhere")));
  EXPECT_FALSE(is_directory(path("dangling")));
  EXPECT_TRUE(is_directory(root()));
}

TEST_F(File, MakeDirectoriesMakesParentsOnce) {
  ASSERT_TRUE(make_directories(path("a/b/c")));
  ASSERT_TRUE(make_directories(path("a/b/c")));
  ASSERT_TRUE(make_directories(path("a/b/d/")));
  EXPECT_TRUE(is_directory(path("a/b/d")));
}

TEST_F(File, MakeDirectoriesRefusesAFileInTheWay) {
  write("file", "");
  EXPECT_FALSE(make_directories(path("file/below")));
  EXPECT_FALSE(make_directories(path("file")));
  ASSERT_EQ(symlink("nowhere", path("dangling").c_str()), 0);
  for (const auto* name : {"file", "dangling"}) {
    const auto made = make_directories(path(name));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), ErrorCode::invalid);
    EXPECT_THAT(made.error().render(), testing::HasSubstr("something else has that name\nhint: move '" + path(name)));
  }
}

TEST_F(File, RemoveAllTakesATreeAndNothingIsSuccess) {
  make("tree/a/b");
  write("tree/a/file", "");
  ASSERT_TRUE(remove_all(path("tree")));
  EXPECT_FALSE(exists(path("tree")));
  EXPECT_TRUE(remove_all(path("tree")));
}

TEST_F(File, RemoveAllNeverFollowsASymlink) {
  make("kept");
  write("kept/file", "kept");
  make("tree");
  link(path("kept"), "tree/link");
  link("../kept", "tree/relative");
  link("kept", "top");
  ASSERT_TRUE(remove_all(path("tree")));
  ASSERT_TRUE(remove_all(path("top")));
  EXPECT_EQ(read_file(path("kept/file")).value(), "kept");
}

TEST_F(File, RemoveAllOpensDirectoriesWithoutPermissions) {
  make("tree/work");
  write("tree/work/file", "");
  ASSERT_EQ(chmod(path("tree/work").c_str(), 0), 0);
  EXPECT_TRUE(remove_all(path("tree")));
}

/// Makes `depth` directories, one in the other, deeper than any path may be long.
void make_deep(const std::string& top, int depth) {
  ASSERT_TRUE(make_directories(top));
  Fd at = open(top, O_RDONLY | O_DIRECTORY).value();
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(mkdirat(at.get(), "directory", 0755), 0);
    at = open_at(at, "directory", O_RDONLY | O_DIRECTORY).value();
  }
}

TEST_F(File, RemoveAllTakesPathsLongerThanPathMax) {
  make_deep(path("tree"), 500);
  ASSERT_TRUE(remove_all(path("tree")));
  EXPECT_FALSE(exists(path("tree")));
}

/// The usual limit is 1024 descriptors; a build can leave a deeper tree.
TEST_F(File, RemoveAllTakesTreesDeeperThanTheDescriptorLimit) {
  make_deep(path("tree"), 300);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{200, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto removed = remove_all(path("tree"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(removed) << removed.error().summary();
  EXPECT_FALSE(exists(path("tree")));
}

TEST_F(File, ListIsSortedBytewise) {
  for (const auto* name : {"b", "a", "B", "\xc3\xa9", "a.b", ".hidden"}) {
    write(name, "");
  }
  make("dir");
  EXPECT_THAT(names_in(root()), ElementsAre(".hidden", "B", "a", "a.b", "b", "dir", "\xc3\xa9"));
  EXPECT_EQ(list_directory(path("none")).error().code(), ErrorCode::not_found);
}

TEST_F(File, ListByDescriptorCanBeRepeated) {
  write("a", "");
  const auto fd = open(root(), O_RDONLY | O_DIRECTORY).value();
  EXPECT_EQ(list_directory(fd).value().size(), 1U);
  EXPECT_EQ(list_directory(fd).value().size(), 1U);
}

TEST_F(File, StampChangesWithEveryVersion) {
  EXPECT_EQ(stamp(path("a")), std::nullopt);
  write("a", "one");
  const auto first = stamp(path("a"));
  EXPECT_EQ(stamp(path("a")), first);
  write("a", "two");
  const auto second = stamp(path("a"));
  EXPECT_NE(second, first);
  ASSERT_EQ(truncate(path("a").c_str(), 1), 0);
  EXPECT_NE(stamp(path("a")), second);
}

TEST_F(File, RealPathResolvesAndReadLinkDoesNot) {
  make("a");
  link("a", "l");
  EXPECT_EQ(real_path(path("l/../l/.")).value(), real_path(path("a")).value());
  EXPECT_EQ(real_path(path("none")).error().code(), ErrorCode::not_found);
  const auto fd = open(root(), O_RDONLY | O_DIRECTORY).value();
  EXPECT_EQ(read_link_at(fd, "l").value(), "a");
  EXPECT_FALSE(read_link_at(fd, "a"));
}

TEST(Environment, EmptyIsUnset) {
  setenv("SHEAF_TEST_VARIABLE", "", 1);
  EXPECT_EQ(environment("SHEAF_TEST_VARIABLE"), std::nullopt);
  setenv("SHEAF_TEST_VARIABLE", "x", 1);
  EXPECT_EQ(environment("SHEAF_TEST_VARIABLE"), "x");
  unsetenv("SHEAF_TEST_VARIABLE");
  EXPECT_EQ(environment("SHEAF_TEST_VARIABLE"), std::nullopt);
}

} // namespace
} // namespace sheaf::os
