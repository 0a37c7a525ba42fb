// SPDX-License-Identifier: Apache-2.0
#include <sys/xattr.h>

#include <array>
#include <chrono>
#include <thread>

#include "context/known_tree.hpp"
#include "context/stamps.hpp"
#include "context/walk_record.hpp"
#include "unit/context/context_support.hpp"

namespace sheaf::context {
namespace {

/// A digest from memory must always be the one that a new look gives.
class KnownTrees : public InTree {
protected:
  static void let_stamps_age() { std::this_thread::sleep_for(std::chrono::milliseconds(25)); }

  KnownTree known() const {
    let_stamps_age();
    return KnownTree::open(path(""), ignore, beside("memory")).value();
  }
  Digest digest() const {
    auto tree = known();
    const auto digest = tree.digest(selection).value();
    EXPECT_TRUE(tree.save());
    return digest;
  }
  Digest truth() const {
    const auto patterns = ignoring(ignore.empty() ? std::vector<std::string>() : std::vector{ignore, exception});
    return digest_of(tree(), select(tree(), selection, &patterns).value(), Owners::ignored, nullptr).value();
  }
  std::vector<std::string> records() const {
    std::vector<std::string> names;
    const auto entries = os::list_directory(beside("memory.walks")).value();
    for (const auto& entry : entries) {
      names.push_back(beside("memory.walks") + "/" + entry.name);
    }
    return names;
  }
  /// After `change`, the digest is right, from a record that was made before and from one that was made after.
  template <class Change>
  void expect_seen(const char* what, const Change& change) const {
    const auto before = digest();
    EXPECT_EQ(digest(), before) << what;
    EXPECT_FALSE(records().empty()) << what;
    change();
    const auto after = digest();
    EXPECT_NE(after, before) << what;
    EXPECT_EQ(after, truth()) << what;
    EXPECT_EQ(digest(), after) << what;
  }

  Selection selection = {{"."}, {}, false};
  std::string ignore;
  std::string exception = "!none-of-it";
};

TEST_F(KnownTrees, EveryChangeIsSeen) {
  file("a/x", "1");
  file("a/y", "2");
  file("b/c/z", "3");
  link("x", "a/link");
  expect_seen("a file's mode", [&] { ASSERT_EQ(chmod(path("a/x").c_str(), 0600), 0); });
  expect_seen("a folder's mode", [&] { ASSERT_EQ(chmod(path("b/c").c_str(), 0700), 0); });
  expect_seen("the top's mode", [&] { ASSERT_EQ(chmod(path("").c_str(), 0700), 0); });
  expect_seen("content", [&] { ASSERT_TRUE(os::write_file(path("a/y"), "22")); });
  expect_seen("a new file", [&] { file("b/c/new", "4"); });
  expect_seen("a new empty folder", [&] { folder("b/c/empty"); });
  expect_seen("a name", [&] { ASSERT_TRUE(os::rename(path("b/c/new"), path("b/c/newer"))); });
  expect_seen("a folder's name", [&] { ASSERT_TRUE(os::rename(path("b/c"), path("b/d"))); });
  expect_seen("a file that moved", [&] { ASSERT_TRUE(os::rename(path("b/d/newer"), path("a/newer"))); });
  expect_seen("a file that is gone", [&] { ASSERT_EQ(unlink(path("a/newer").c_str()), 0); });
  expect_seen("a folder that is gone", [&] { ASSERT_EQ(rmdir(path("b/d/empty").c_str()), 0); });
  expect_seen("a link's target", [&] {
    ASSERT_EQ(unlink(path("a/link").c_str()), 0);
    link("y", "a/link");
  });
  expect_seen("a file that became a folder", [&] {
    ASSERT_EQ(unlink(path("a/x").c_str()), 0);
    folder("a/x");
  });
  expect_seen("two files that changed places", [&] {
    file("a/one", "1");
    file("a/two", "2");
    digest();
    ASSERT_EQ(renameat2(AT_FDCWD, path("a/one").c_str(), AT_FDCWD, path("a/two").c_str(), RENAME_EXCHANGE), 0);
  });
}

TEST_F(KnownTrees, AttributesAreSeen) {
  file("a/x", "1");
  if (setxattr(path("a/x").c_str(), "user.y", "1", 1, 0) != 0) {
    GTEST_SKIP() << "the file system takes no attributes of users";
  }
  expect_seen("a file's attribute", [&] { ASSERT_EQ(setxattr(path("a/x").c_str(), "user.x", "1", 1, 0), 0); });
  expect_seen("a folder's attribute", [&] { ASSERT_EQ(setxattr(path("a").c_str(), "user.x", "1", 1, 0), 0); });
}

TEST_F(KnownTrees, ContentOfTheSameSizeAndTimeIsSeen) {
  file("a/x", "one");
  struct stat info {};
  ASSERT_EQ(stat(path("a/x").c_str(), &info), 0);
  expect_seen("content with its old mtime", [&] {
    const auto fd = os::open(path("a/x"), O_WRONLY).value(); // the same inode
    ASSERT_TRUE(os::write_all(fd, "two"));
    const std::array<timespec, 2> times = {info.st_mtim, info.st_mtim};
    ASSERT_EQ(futimens(fd.get(), times.data()), 0);
  });
}

TEST_F(KnownTrees, TimesAloneChangeNothing) {
  file("a/x", "one");
  const auto before = digest();
  const std::array<timespec, 2> times = {timespec{1, 0}, timespec{1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path("a/x").c_str(), times.data(), 0), 0);
  EXPECT_EQ(digest(), before);
}

TEST_F(KnownTrees, AYoungWalkIsNotRecorded) {
  file("a/x", "1");
  auto young = KnownTree::open(path(""), "", beside("memory")).value();
  ASSERT_TRUE(young.digest(selection));
  EXPECT_TRUE(records().empty());
  digest();
  EXPECT_EQ(records().size(), 1U);
  // One young entry is enough: a folder, a file, or a folder in which nothing is taken.
  for (const auto* name : {"a/x", "a", ""}) {
    let_stamps_age();
    ASSERT_EQ(chmod(path(name).c_str(), 0750), 0);
    auto again = KnownTree::open(path(""), "", beside("memory")).value();
    ASSERT_TRUE(again.digest(selection));
    EXPECT_TRUE(records().empty()) << name;
    digest();
  }
}

TEST_F(KnownTrees, WhatIsIgnoredMayChange) {
  file("a/x", "1");
  file("skipped/y", "1");
  ignore = "skipped";
  const auto before = digest();
  file("skipped/z", "2");
  EXPECT_EQ(digest(), before);
  ignore = "";
  EXPECT_NE(digest(), before) << "another ignore file";
}

TEST_F(KnownTrees, AnExceptionThatAppearsIsSeen) {
  file("a/x", "1");
  file("skipped/y", "1");
  ignore = "skipped";
  exception = "!skipped/in";
  const auto with_exception = [&] {
    let_stamps_age();
    auto tree = KnownTree::open(path(""), ignore + "\n" + exception + "\n", beside("memory")).value();
    return tree.digest(selection).value();
  };
  const auto before = with_exception();
  EXPECT_EQ(with_exception(), before);
  file("skipped/in", "2");
  EXPECT_NE(with_exception(), before);
  EXPECT_EQ(with_exception(), truth());
}

TEST_F(KnownTrees, PathsAndPatternsAreLookedUpAnew) {
  file("one/x", "1");
  file("two/x", "2");
  link("one", "here");
  selection.sources = {"here"};
  expect_seen("a link on the way", [&] {
    ASSERT_EQ(unlink(path("here").c_str()), 0);
    link("two", "here");
  });
  selection.sources = {"t*/x"};
  expect_seen("one more match", [&] { file("three/x", "3"); });
  selection.sources = {"two/x"};
  expect_seen("one file", [&] { ASSERT_TRUE(os::write_file(path("two/x"), "4")); });
  ASSERT_EQ(unlink(path("two/x").c_str()), 0);
  auto tree = known();
  EXPECT_EQ(tree.digest(selection).error().code(), ErrorCode::not_found);
}

TEST_F(KnownTrees, SelectionsAreKeptApart) {
  file("a/x", "1");
  file("a/y", "2");
  const auto all = digest();
  selection.excludes = {"a/y"};
  const auto some = digest();
  EXPECT_NE(some, all);
  EXPECT_EQ(digest(), some);
  selection = {{"a/x"}, {}, true};
  EXPECT_EQ(digest(), truth());
  EXPECT_EQ(digest(), truth());
  selection = {{"."}, {}, false};
  EXPECT_EQ(digest(), all);
  EXPECT_EQ(records().size(), 3U);
}

TEST_F(KnownTrees, LargeFoldersAreComparedInParts) {
  folder("many");
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(os::open(path("many/" + std::to_string(i)), O_WRONLY | O_CREAT, 0644));
  }
  expect_seen("the last of many", [&] { ASSERT_TRUE(os::write_file(path("many/999"), "2")); });
  expect_seen("one more", [&] { file("many/new"); });
}

TEST_F(KnownTrees, ADamagedRecordIsNone) {
  file("a/x", "1");
  const auto before = digest();
  const auto record = records().at(0);
  const auto content = os::read_file(record).value();
  const auto tree = this->tree();
  Digest sources;
  ASSERT_FALSE(recorded_digest(record, tree, sources)) << "of other sources";
  for (std::size_t at = 0; at < content.size(); ++at) {
    auto damaged = content;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    ASSERT_TRUE(os::write_file(record, damaged));
    auto known = KnownTree::open(path(""), "", beside("memory")).value();
    EXPECT_EQ(known.digest(selection).value(), before) << at;
    ASSERT_TRUE(os::write_file(record, content.substr(0, at)));
    EXPECT_EQ(known.digest(selection).value(), before) << "cut at " << at;
  }
}

TEST_F(KnownTrees, ARecordIsUsed) {
  file("a/x", "1");
  const auto before = digest();
  const auto tree = this->tree();
  RecordedWalk walk;
  walk.begin = now_ns();
  walk.selected = select(tree, selection, nullptr).value();
  walk.digest = stamped_digest_of(tree, walk.selected, Owners::ignored, nullptr).value();
  walk.digest.digest = Digest::of("a wrong memory shows that nothing is read");
  ASSERT_TRUE(record_walk(beside("record"), tree, walk));
  EXPECT_EQ(recorded_digest(beside("record"), tree, walk.sources), walk.digest.digest);
  ASSERT_EQ(chmod(path("a/x").c_str(), 0600), 0);
  EXPECT_EQ(recorded_digest(beside("record"), tree, walk.sources), std::nullopt);
  EXPECT_NE(digest(), before);
}

} // namespace
} // namespace sheaf::context
