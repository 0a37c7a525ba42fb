// SPDX-License-Identifier: Apache-2.0
// What archives may do to a directory, and what they may not do to anything else. Hostile ones first.

#include "archive/unpack.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "unit/archive/archive_support.hpp"

namespace sheaf::archive {
namespace {

using testing::HasSubstr;

class Unpack : public InRoot {};

TEST_F(Unpack, NamesStopAtTheTop) {
  ASSERT_TRUE(
      unpack_all(tar({file("/etc/absolute"), file("../../outside", "evil"), file("a/../../up"), file("./here")})));
  EXPECT_EQ(content("etc/absolute"), "x");
  EXPECT_EQ(content("outside"), "evil");
  EXPECT_EQ(content("up"), "x");
  EXPECT_EQ(content("here"), "x");
}

TEST_F(Unpack, ALinkDoesNotLeadOut) {
  const auto up = beside("");
  ASSERT_TRUE(unpack_all(tar(
      {link("away", "/"), file("away/outside", "evil"), link("climb", "../../../.."), file("climb/tmp", "inside")})));
  EXPECT_EQ(content("outside"), "evil");
  EXPECT_EQ(content("tmp"), "inside");
  // The folder that an absolute link names is not there below the root.
  const auto failed = unpack_all(tar({link("abs", up), file("abs/outside", "evil")}));
  EXPECT_FALSE(failed.has_value());
  EXPECT_THAT(failed.error().summary(), HasSubstr("unpacking 'abs/outside'"));
}

TEST_F(Unpack, AFileReplacesALinkInsteadOfWritingThroughIt) {
  ASSERT_TRUE(unpack_all(tar({link("victim", "../outside"), file("victim", "mine")})));
  EXPECT_TRUE(S_ISREG(info("victim").st_mode));
  EXPECT_EQ(content("victim"), "mine");
}

TEST_F(Unpack, HardLinksStayInside) {
  ASSERT_TRUE(unpack_all(tar({file("a"), hard_link("b", "/a"), hard_link("c", "../../a"), hard_link("a", "a")})));
  EXPECT_EQ(info("a").st_ino, info("b").st_ino);
  EXPECT_EQ(info("a").st_ino, info("c").st_ino);
  EXPECT_FALSE(unpack_all(tar({hard_link("x", "../outside")})).has_value());
  EXPECT_FALSE(unpack_all(tar({link("l", "/.."), hard_link("x", "l/outside")})).has_value());
  EXPECT_FALSE(exists("x"));
}

TEST_F(Unpack, AHardLinkToALinkIsThatLink) {
  ASSERT_TRUE(unpack_all(tar({link("l", "../outside"), hard_link("h", "l"), file("h", "mine")})));
  EXPECT_TRUE(S_ISLNK(info("l").st_mode));
  EXPECT_EQ(content("h"), "mine");
}

TEST_F(Unpack, LaterEntriesWin) {
  ASSERT_TRUE(unpack_all(tar({file("a", "1"), file("a", "2"), folder("d"), file("d/x"), file("d", "file"), file("f"),
                              folder("f"), file("f/y"), link("l", "f"), folder("l"), file("l/z")})));
  EXPECT_EQ(content("a"), "2");
  EXPECT_EQ(content("d"), "file");
  EXPECT_EQ(content("f/y"), "x");
  EXPECT_EQ(content("l/z"), "x");
  EXPECT_FALSE(exists("f/z"));
}

/// The open folder of the entry before must not be taken for the one that replaced it.
TEST_F(Unpack, AReplacedFolderIsForgotten) {
  ASSERT_TRUE(
      unpack_all(tar({folder("a/b"), file("a/b/one"), file("a/b/two"), folder("c"), link("a", "c"), file("a/three")})));
  EXPECT_EQ(content("c/three"), "x");
  EXPECT_TRUE(S_ISLNK(info("a").st_mode));
}

TEST_F(Unpack, FoldersMergeAndKeepTheirTime) {
  ASSERT_TRUE(os::make_directories(path("d")));
  ASSERT_TRUE(os::write_file(path("d/old"), "old"));
  auto entry = folder("d");
  entry.entry.mode = 01770;
  ASSERT_TRUE(unpack_all(tar({entry, file("d/new"), file("implied/deep/x")})));
  EXPECT_EQ(content("d/old"), "old");
  EXPECT_EQ(info("d").st_mode & 07777U, 01770U);
  EXPECT_EQ(info("d").st_mtime, 1'000'000'000);
  EXPECT_EQ(info("implied/deep").st_mode & 07777U, 0755U);
}

TEST_F(Unpack, AttributesAndSetuidAreKept) {
  auto tool = file("tool");
  tool.entry.mode = 06755;
  tool.entry.attributes = {{"user.note", "hello"}, {"trusted.overlay.opaque", "y"}, {"user.overlay.opaque", "y"}};
  ASSERT_TRUE(unpack_all(tar({tool})));
  EXPECT_EQ(info("tool").st_mode & 07777U, 06755U);
  EXPECT_EQ(getxattr(path("tool").c_str(), "user.overlay.opaque", nullptr, 0), -1);
  EXPECT_EQ(getxattr(path("tool").c_str(), "trusted.overlay.opaque", nullptr, 0), -1);
}

TEST_F(Unpack, OwnerAndTimeCanBeGiven) {
  UnpackOptions options;
  options.owner = std::pair(geteuid(), getegid());
  options.epoch = 500;
  auto member = file("a");
  member.entry.uid = 12345;
  auto old = file("old");
  old.entry.mtime = 400;
  ASSERT_TRUE(unpack_all(tar({member, old}), options));
  EXPECT_EQ(info("a").st_uid, geteuid());
  EXPECT_EQ(info("a").st_mtime, 500);
  EXPECT_EQ(info("old").st_mtime, 400);
}

TEST_F(Unpack, BombsAreStopped) {
  UnpackOptions options;
  options.most_bytes = 1000;
  EXPECT_EQ(unpack_all(tar({file("a", std::string(2000, 'x'))}), options).error().code(), ErrorCode::invalid);
  options = {};
  options.most_entries = 2;
  EXPECT_EQ(unpack_all(tar({file("b"), file("c"), file("d")}), options).error().code(), ErrorCode::invalid);
}

/// A sparse file of GNU tar's: a terabyte of nothing is no work and no space.
TEST_F(Unpack, HolesStayHoles) {
  const auto command = "cd " + beside("") + " && truncate -s 200G hole && printf end >>hole && tar -cSf hole.tar hole";
  ASSERT_EQ(std::system(command.c_str()), 0); // NOLINT(cert-env33-c)
  ASSERT_TRUE(unpack_all(os::read_file(beside("hole.tar")).value()));
  EXPECT_EQ(info("hole").st_size, (std::int64_t{200} << 30) + 3);
  EXPECT_LT(info("hole").st_blocks, 1000);
}

/// What was written under each name, though the file of that name was replaced, is sparse, or has two names.
TEST_F(Unpack, ContentsAreDigestedOnTheWay) {
  const auto made = "cd " + beside("") +
                    " && truncate -s 300K hole && printf end >>hole && truncate -s 400K hole && "
                    "tar --owner=$(id -u) --group=$(id -g) -cSf hole.tar hole";
  ASSERT_EQ(std::system(made.c_str()), 0); // NOLINT(cert-env33-c)
  UnpackOptions options;
  options.digest = ContentDigest::taken;
  const auto sparse = unpack_all(os::read_file(beside("hole.tar")).value(), options);
  ASSERT_TRUE(sparse) << sparse.error().render();
  EXPECT_EQ(sparse->contents.at(info("hole").st_ino), Digest::of(content("hole")));
  const auto again = unpack_all(tar({file("a", "1"), file("a", "2"), file("empty", ""), hard_link("b", "a")}), options);
  ASSERT_TRUE(again) << again.error().render();
  for (const auto* name : {"a", "b", "empty"}) {
    EXPECT_EQ(again->contents.at(info(name).st_ino), Digest::of(content(name))) << name;
  }
  EXPECT_TRUE(unpack_all(tar({file("c")}))->contents.empty());
}

/// In memory, because this is about our own work and not the disk's.
class UnpackMany : public InRoot {
protected:
  UnpackMany() : InRoot("/dev/shm") {}
};

TEST_F(UnpackMany, AHundredThousandEntries) {
  constexpr int k_many = 100'000;
  const auto out = os::memory_file("").value();
  TarWriter writer(out);
  for (int i = 0; i < k_many; ++i) {
    ASSERT_TRUE(writer.add(entry(EntryType::file, fmt::format("d{}/f{}", i / 100, i)), nullptr));
  }
  ASSERT_TRUE(writer.finish());
  ASSERT_EQ(lseek(out.get(), 0, SEEK_SET), 0);
  const auto done = unpack_all(os::read_all(out).value()).value();
  EXPECT_EQ(done.entries, 100'000U);
  EXPECT_TRUE(exists("d999/f99999"));
}

TEST_F(Unpack, DevicesAreMadeByRootOnly) {
  Member device{entry(EntryType::character_device, "null"), {}};
  device.entry.device_major = 1;
  device.entry.device_minor = 3;
  const Member whiteout{entry(EntryType::character_device, "whiteout"), {}};
  const auto done = unpack_all(tar({device, whiteout, {entry(EntryType::fifo, "fifo"), {}}})).value();
  EXPECT_TRUE(S_ISFIFO(info("fifo").st_mode));
  EXPECT_FALSE(exists("whiteout"));
  const bool made = exists("null");
  EXPECT_EQ(done.devices_left_out.size(), made ? 1U : 2U);
  if (geteuid() == 0 && os::in_initial_user_namespace() && made) {
    EXPECT_EQ(info("null").st_rdev, makedev(1, 3));
  }
}

TEST_F(Unpack, WhiteoutsBecomeMarks) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root: marks of overlayfs";
  }
  UnpackOptions options;
  options.whiteouts = Whiteouts::overlay;
  ASSERT_TRUE(
      unpack_all(tar({file("etc/.wh.gone"), folder("opt"), file("opt/.wh..wh..opq"), file("opt/new"),
                      file(".wh..wh.plnk"), file(".wh.back"), folder("back"), file("stays"), file(".wh.stays")}),
                 options));
  EXPECT_TRUE(S_ISCHR(info("etc/gone").st_mode));
  EXPECT_EQ(info("etc/gone").st_rdev, makedev(0, 0));
  const auto opaque = [&](const std::string& name) {
    return getxattr(path(name).c_str(), "trusted.overlay.opaque", nullptr, 0) == 1;
  };
  EXPECT_TRUE(opaque("opt"));
  EXPECT_TRUE(opaque("back"));
  EXPECT_EQ(content("stays"), "x");
  EXPECT_FALSE(exists(".wh..wh.plnk"));
  EXPECT_FALSE(unpack_all(tar({file(".wh.")}), options).has_value());
  EXPECT_FALSE(unpack_all(tar({file("d/.wh...")}), options).has_value());
  ASSERT_TRUE(unpack_all(tar({file("plain/.wh.x")})));
  EXPECT_EQ(content("plain/.wh.x"), "x");
}

TEST_F(Unpack, ATreeComesBack) {
  ASSERT_TRUE(unpack_all(tar({folder("d"), file("d/a", "1"), hard_link("d/b", "d/a"), link("l", "d")})));
  const auto root = os::open(beside("root"), O_RDONLY | O_DIRECTORY).value();
  const auto write = [&root] {
    const auto out = os::memory_file("").value();
    TarWriter writer(out);
    EXPECT_TRUE(write_tree(root, writer));
    EXPECT_TRUE(writer.finish());
    EXPECT_EQ(lseek(out.get(), 0, SEEK_SET), 0);
    return os::read_all(out).value();
  };
  EXPECT_EQ(write(), write());
  ASSERT_TRUE(os::make_directories(path("copy")));
  ASSERT_TRUE(unpack_all(write(), {}, "copy"));
  EXPECT_EQ(content("copy/d/a"), "1");
  EXPECT_EQ(info("copy/d/a").st_ino, info("copy/d/b").st_ino);
  EXPECT_TRUE(S_ISLNK(info("copy/l").st_mode));
}

} // namespace
} // namespace sheaf::archive
