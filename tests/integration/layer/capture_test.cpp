// SPDX-License-Identifier: Apache-2.0
// Capture on plain directories: the marks of overlayfs are made by hand.

#include <gmock/gmock.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "integration/layer/capture_support.hpp"

namespace sheaf::layer {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

using Capture = CaptureBase;

TEST_F(Capture, ListsNewFilesWithWhatTheyAre) {
  file("upper/usr/bin/tool", "content");
  ASSERT_EQ(chown(path("upper/usr/bin/tool").c_str(), 12, 34), 0);
  ASSERT_EQ(chmod(path("upper/usr/bin/tool").c_str(), 04755), 0);
  symlink("../bin", "upper/usr/link");
  ASSERT_EQ(mkfifo(path("upper/pipe").c_str(), 0600), 0);
  ASSERT_EQ(mknod(path("upper/device").c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
  const auto captured = capture_base();
  EXPECT_THAT(outline(captured),
              ElementsAre("c device", "p pipe", "d usr", "d usr/bin", "f usr/bin/tool", "l usr/link"));
  const auto& tool = entry_at(captured, "usr/bin/tool");
  EXPECT_EQ(tool.mode, 04755U);
  EXPECT_EQ(tool.uid, 12U);
  EXPECT_EQ(tool.gid, 34U);
  EXPECT_EQ(tool.size, 7U);
  EXPECT_EQ(tool.digest, Digest::of("content"));
  EXPECT_EQ(entry_at(captured, "usr/link").target, "../bin");
  EXPECT_EQ(entry_at(captured, "device").target, "1:3");
}

TEST_F(Capture, IsSortedByTheWholePath) {
  for (const auto* name : {"upper/a/x", "upper/a.b", "upper/a-b", "upper/a\tb", "upper/B"}) {
    file(name);
  }
  EXPECT_THAT(outline(capture_base()), ElementsAre("f B", "d a", "f a-b", "f a.b", "f a/x", "f a\tb"));
}

TEST_F(Capture, KeepsAWhiteoutOnlyOfWhatIsThere) {
  file("parent/etc/there");
  directory("upper/etc");
  whiteout("upper/etc/there");
  whiteout("upper/etc/never");
  const auto captured = capture_on_parent();
  EXPECT_THAT(outline(captured), ElementsAre("d etc", "w etc/there"));
  EXPECT_TRUE(exists("upper/etc/there"));
  EXPECT_FALSE(exists("upper/etc/never"));
}

TEST_F(Capture, ADirectoryWithNothingToSayIsNotListed) {
  file("parent/etc/there");
  directory("upper/etc");
  whiteout("upper/etc/never");
  EXPECT_THAT(outline(capture_on_parent()), IsEmpty());
  EXPECT_FALSE(exists("upper/etc"));
}

TEST_F(Capture, ADirectoryOfAnotherModeIsListed) {
  directory("parent/etc", 0755);
  directory("upper/etc", 0700);
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d etc"));
}

TEST_F(Capture, ADirectoryOfOtherAttributesIsListed) {
  directory("parent/etc");
  directory("upper/etc");
  attribute("upper/etc", "user.acl", "1");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d etc"));
}

TEST_F(Capture, AnOpaqueDirectoryDeletesByName) {
  file("parent/opt/old");
  file("parent/opt/sub/deep");
  file("parent/opt/both", "old");
  file("upper/opt/both", "new");
  file("upper/opt/new");
  opaque("upper/opt");
  const auto captured = capture_on_parent();
  EXPECT_THAT(outline(captured), ElementsAre("d opt", "f opt/both", "f opt/new", "w opt/old", "w opt/sub"));
  EXPECT_THAT(attributes("upper/opt"), IsEmpty());
  EXPECT_EQ(look("upper/opt/sub").st_rdev, makedev(0, 0));
}

TEST_F(Capture, WhatIsBelowAnOpaqueDirectoryHidesItsParentToo) {
  file("parent/opt/sub/old");
  file("upper/opt/sub/new");
  opaque("upper/opt");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d opt", "d opt/sub", "f opt/sub/new", "w opt/sub/old"));
}

TEST_F(Capture, AnOpaqueDirectoryOverNothingIsPlain) {
  file("upper/opt/new");
  opaque("upper/opt");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d opt", "f opt/new"));
  EXPECT_THAT(attributes("upper/opt"), IsEmpty());
}

TEST_F(Capture, AnUnchangedFileBelowAnOpaqueDirectoryStays) {
  file("parent/opt/same", "x");
  file("upper/opt/same", "x");
  opaque("upper/opt");
  EXPECT_THAT(outline(capture_on_parent()), Contains("f opt/same"));
}

TEST_F(Capture, ADirectoryInPlaceOfAFileNeedsNoMarks) {
  file("parent/x");
  file("upper/x/inside");
  opaque("upper/x");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d x", "f x/inside"));
  EXPECT_THAT(attributes("upper/x"), IsEmpty());
}

TEST_F(Capture, AFileInPlaceOfADirectoryIsOneEntry) {
  file("parent/x/inside");
  file("upper/x");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("f x"));
}

TEST_F(Capture, DropsWhatWasCopiedUpAndLeftAlone) {
  for (const auto* tree : {"parent", "upper"}) {
    file(std::string(tree) + "/etc/same");
    symlink("same", std::string(tree) + "/etc/link");
  }
  attribute("upper/etc/same", "trusted.overlay.origin", "abc");
  EXPECT_THAT(outline(capture_on_parent()), IsEmpty());
  EXPECT_FALSE(exists("upper/etc"));
}

TEST_F(Capture, KeepsWhatChangedInOneThing) {
  for (const auto* tree : {"parent", "upper"}) {
    for (const auto* name : {"content", "mode", "owner", "attribute"}) {
      file(std::string(tree) + "/" + name, "12345");
    }
    symlink("a", std::string(tree) + "/same");
  }
  symlink("a", "parent/link");
  symlink("b", "upper/link");
  file("upper/content", "54321");
  ASSERT_EQ(chmod(path("upper/mode").c_str(), 0600), 0);
  ASSERT_EQ(chown(path("upper/owner").c_str(), 1, 0), 0);
  attribute("upper/attribute", "user.x", "1");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("f attribute", "f content", "l link", "f mode", "f owner"));
}

TEST_F(Capture, OverlayMarksLeaveButOtherAttributesStay) {
  file("upper/f");
  attribute("upper/f", "trusted.overlay.origin", "abc");
  attribute("upper/f", "user.mine", "1");
  const auto captured = capture_base();
  EXPECT_THAT(entry_at(captured, "f").attributes, ElementsAre(Pair("user.mine", "1")));
  EXPECT_THAT(attributes("upper/f"), ElementsAre(Pair("user.mine", "1")));
}

TEST_F(Capture, TheMountsOwnMarksLeaveTheRoot) {
  attribute("upper", "trusted.overlay.uuid", "abc");
  (void)capture_base();
  EXPECT_THAT(attributes("upper"), IsEmpty());
}

TEST_F(Capture, YoungerTimesAreClampedAndPartsOfSecondsGo) {
  file("upper/old");
  file("upper/part");
  file("upper/young");
  symlink("old", "upper/link");
  set_time("upper/old", k_epoch - 10);
  set_time("upper/part", k_epoch - 10, 5);
  set_time("upper/young", k_epoch + 10, 5);
  set_time("upper/link", k_epoch + 10);
  const auto captured = capture_base();
  EXPECT_EQ(entry_at(captured, "old").mtime, k_epoch - 10);
  EXPECT_EQ(entry_at(captured, "part").mtime, k_epoch - 10);
  EXPECT_EQ(entry_at(captured, "young").mtime, k_epoch);
  EXPECT_EQ(entry_at(captured, "link").mtime, k_epoch);
  EXPECT_EQ(look("upper/part").st_mtim.tv_nsec, 0);
  EXPECT_EQ(look("upper/young").st_mtim.tv_sec, k_epoch);
  EXPECT_EQ(look("upper/link").st_mtim.tv_sec, k_epoch);
}

TEST_F(Capture, DirectoryTimesFollowTheirContents) {
  file("upper/a/b/old");
  file("upper/a/older");
  directory("upper/empty");
  set_time("upper/a/b/old", 500);
  set_time("upper/a/older", 400);
  const auto captured = capture_base();
  EXPECT_EQ(entry_at(captured, "a").mtime, 500);
  EXPECT_EQ(entry_at(captured, "a/b").mtime, 500);
  EXPECT_EQ(entry_at(captured, "empty").mtime, k_epoch);
  EXPECT_EQ(look("upper/a").st_mtim.tv_sec, 500);
  EXPECT_EQ(look("upper/a/b").st_mtim.tv_sec, 500);
}

/// A whiteout has no time; the directory should not be thrown back to 1970 for it.
TEST_F(Capture, ADirectoryOfDeletionsHasTheTimeOfAnEmptyOne) {
  file("parent/etc/there");
  directory("upper/etc");
  whiteout("upper/etc/there");
  EXPECT_EQ(entry_at(capture_on_parent(), "etc").mtime, k_epoch);
}

TEST_F(Capture, SharedStateLeavesTheTree) {
  file("parent/etc/group", "old");
  file("upper/etc/passwd", "root:x:0:0\n");
  whiteout("upper/etc/group");
  file("upper/etc/other");
  const auto shared = [](std::string_view name) { return name == "etc/passwd" || name == "etc/group"; };
  const auto captured = capture_on({path("parent")}, "upper", shared);
  EXPECT_THAT(outline(captured), ElementsAre("d etc", "f etc/other"));
  EXPECT_THAT(captured.shared_state, ElementsAre(Pair("etc/group", std::nullopt),
                                                 Pair("etc/passwd", std::optional<std::string>("root:x:0:0\n"))));
  EXPECT_FALSE(exists("upper/etc/passwd"));
  EXPECT_FALSE(exists("upper/etc/group"));
}

/// `rm -rf` and `mkdir` of a folder deletes the shared state in it: the caller must hear of it, the tree must not say
/// it.
TEST_F(Capture, SharedStateHiddenByAnOpaqueDirectoryIsReportedAsDeleted) {
  file("parent/lib/status", "old");
  directory("upper/lib");
  opaque("upper/lib");
  const auto captured =
      capture_on({path("parent")}, "upper", [](std::string_view name) { return name == "lib/status"; });
  EXPECT_THAT(outline(captured), Not(Contains("w lib/status")));
  EXPECT_THAT(captured.shared_state, Contains(Pair("lib/status", std::nullopt)));
}

TEST_F(Capture, NoiseIsDroppedAndCounted) {
  file("upper/tmp/a");
  file("upper/var/log/dpkg.log");
  file("upper/var/log/nginx/access.log");
  file("upper/etc/machine-id");
  file("upper/etc/kept");
  const auto captured = capture_base();
  EXPECT_THAT(outline(captured), ElementsAre("d etc", "f etc/kept", "d tmp", "d var", "d var/log", "d var/log/nginx"));
  EXPECT_THAT(captured.dropped,
              ElementsAre(Pair("etc/machine-id", Dropped{"identity", 1}), Pair("tmp/**", Dropped{"temporary", 1}),
                          Pair("var/log/**", Dropped{"log", 2})));
  EXPECT_FALSE(exists("upper/tmp/a"));
}

TEST_F(Capture, ALinkIsDroppedByItsTarget) {
  symlink("ssl-cert-snakeoil.pem", "upper/0a1b2c3d.0");
  directory("upper/etc/ssl/certs");
  symlink("ssl-cert-snakeoil.pem", "upper/etc/ssl/certs/0a1b2c3d.0");
  symlink("other.pem", "upper/etc/ssl/certs/0a1b2c3d.1");
  const auto captured = capture_base();
  EXPECT_THAT(outline(captured),
              ElementsAre("l 0a1b2c3d.0", "d etc", "d etc/ssl", "d etc/ssl/certs", "l etc/ssl/certs/0a1b2c3d.1"));
  EXPECT_THAT(captured.dropped, ElementsAre(Pair("etc/ssl/certs/*.[0-9]", Dropped{"identity", 1})));
}

TEST_F(Capture, TheLayersOwnRulesComeFirst) {
  file("upper/root/.cache/models/a");
  file("upper/root/.cache/pip/b");
  file("upper/opt/tool/state");
  const auto parent = ParentView::open({}).value();
  const CaptureRules rules({{"root/.cache/models/**", "keep", "models"}, {"opt/tool/state", "runtime", "times"}});
  const auto captured = capture(path("upper"), parent, {k_epoch, {}, {}, rules}).value();
  EXPECT_THAT(outline(captured), ElementsAre("d opt", "d opt/tool", "d root", "d root/.cache", "d root/.cache/models",
                                             "f root/.cache/models/a"));
}

TEST_F(Capture, SocketsAreDropped) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("upper/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  const auto captured = capture_base();
  EXPECT_THAT(outline(captured), IsEmpty());
  EXPECT_THAT(captured.dropped, ElementsAre(Pair("", Dropped{"runtime", 1})));
}

TEST_F(Capture, HardLinksNameTheirFirst) {
  file("upper/a/first", "12345");
  hard_link("upper/a/first", "upper/b");
  hard_link("upper/a/first", "upper/c");
  const auto captured = capture_base();
  EXPECT_FALSE(entry_at(captured, "a/first").is_hard_link);
  for (const auto* name : {"b", "c"}) {
    EXPECT_TRUE(entry_at(captured, name).is_hard_link) << name;
    EXPECT_EQ(entry_at(captured, name).target, "a/first") << name;
    EXPECT_EQ(entry_at(captured, name).digest, Digest::of("12345")) << name;
  }
  EXPECT_EQ(captured.inventory.total_bytes(), 5U);
}

/// The walk visits "a/x" before "a.b", the inventory has them the other way round: "first" is the inventory's first.
TEST_F(Capture, TheFirstHardLinkIsTheFirstOfTheInventory) {
  file("upper/a/x");
  hard_link("upper/a/x", "upper/a.b");
  const auto captured = capture_base();
  EXPECT_FALSE(entry_at(captured, "a.b").is_hard_link);
  EXPECT_EQ(entry_at(captured, "a/x").target, "a.b");
}

TEST_F(Capture, TheOrderOfCreationLeavesNoTrace) {
  const std::vector<std::string> names = {"usr/a", "usr/b/c", "usr/b/d", "etc/e", "opt/f"};
  for (const auto& name : names) {
    file("upper/" + name, name);
  }
  for (std::size_t i = names.size(); i-- > 0;) {
    file("other/" + names[i], names[i]);
  }
  for (const auto* tree : {"upper", "other"}) {
    hard_link(std::string(tree) + "/usr/a", std::string(tree) + "/usr/z");
    set_time(std::string(tree) + "/etc/e", 77);
  }
  EXPECT_EQ(serialise(capture_base().inventory), serialise(capture_on({}, "other").inventory));
}

TEST_F(Capture, CapturingWhatWasCapturedChangesNothing) {
  file("parent/opt/old");
  file("upper/opt/new");
  opaque("upper/opt");
  file("upper/etc/f");
  const auto first = capture_on_parent();
  EXPECT_EQ(serialise(capture_on_parent().inventory), serialise(first.inventory));
}

TEST_F(Capture, ParentViewReadsThroughFoldersButNotOut) {
  file("parent/dir/real", "text");
  symlink("/dir", "parent/link");
  file("outside", "secret");
  symlink("../outside", "parent/out");
  const auto view = ParentView::open({path("parent")}).value();
  EXPECT_EQ(view.read("dir/real").value(), "text");
  EXPECT_EQ(view.read("link/real").value(), "text");
  EXPECT_EQ(view.read("none").value(), std::nullopt);
  EXPECT_EQ(view.read("out").value_or(std::nullopt), std::nullopt);
  EXPECT_EQ(ParentView::open({}).value().read("dir/real").value(), std::nullopt);
}

} // namespace
} // namespace sheaf::layer
