// SPDX-License-Identifier: Apache-2.0
// Capture of what a real overlay mount leaves in its upper directory: what was done to the merged view must be what the
// captured tree does to the parent when both are mounted again.

#include <gmock/gmock.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "integration/layer/capture_support.hpp"

namespace sheaf::layer {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class OverlayCapture : public CaptureBase {
protected:
  /// Runs `script` in the merged view of parent and upper, in a mount namespace of a child.
  void change(const std::string& script) const {
    directory("work");
    directory("merged");
    const os::Overlay overlay{{path("parent")}, path("upper"), path("work"), false};
    run_mounted(overlay, script);
    ASSERT_TRUE(os::remove_all(path("work")));
  }

  /// What `script` prints in the view of parent and captured tree.
  std::string view(const std::string& script) const {
    directory("merged");
    run_mounted({{path("parent"), path("upper")}, "", "", false}, "{ " + script + "; } >" + path("output") + " 2>&1");
    return os::read_file(path("output")).value();
  }

private:
  void run_mounted(const os::Overlay& overlay, const std::string& script) const {
    const pid_t child = fork();
    if (child == 0) {
      if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        _exit(101);
      }
      const auto fd = os::mount_overlay(overlay);
      if (!fd) {
        fprintf(stderr, "%s\n", fd.error().summary().c_str());
        _exit(102);
      }
      if (!os::attach(*fd, path("merged")) || chdir(path("merged").c_str()) != 0) {
        _exit(103);
      }
      execl("/bin/sh", "sh", "-ec", script.c_str(), nullptr);
      _exit(104);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 0) << script;
  }
};

TEST_F(OverlayCapture, NewChangedAndDeletedFiles) {
  file("parent/etc/changed", "old");
  file("parent/etc/deleted");
  file("parent/etc/touched");
  change("echo new >etc/changed; rm etc/deleted; chmod 600 etc/touched; chmod 644 etc/touched; mkdir -p opt; echo 1 "
         ">opt/a");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d etc", "f etc/changed", "w etc/deleted", "d opt", "f opt/a"));
  EXPECT_EQ(view("find . | sort; cat etc/changed"), ".\n./etc\n./etc/changed\n./etc/touched\n./opt\n./opt/a\nnew\n");
}

TEST_F(OverlayCapture, AFileMadeAndRemovedLeavesNothing) {
  file("parent/etc/f");
  change("echo 1 >etc/made; rm etc/made; mkdir etc/d; rmdir etc/d");
  EXPECT_THAT(outline(capture_on_parent()), IsEmpty());
}

TEST_F(OverlayCapture, AReplacedDirectoryDeletesByName) {
  file("parent/opt/old");
  file("parent/opt/sub/deep");
  change("rm -rf opt; mkdir opt; echo 1 >opt/new");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d opt", "f opt/new", "w opt/old", "w opt/sub"));
  EXPECT_THAT(attributes("upper/opt"), IsEmpty());
  EXPECT_EQ(view("find opt | sort"), "opt\nopt/new\n");
}

/// A directory is born opaque when it is made where a whiteout is, and "rename" then carries the mark to another place.
TEST_F(OverlayCapture, ARenamedOpaqueDirectoryHidesNothingOfItsNewPlace) {
  file("parent/opt/old");
  file("parent/srv/old");
  change("rm -rf opt srv; mkdir opt; echo 1 >opt/new; mv opt srv");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("w opt", "d srv", "f srv/new", "w srv/old"));
  EXPECT_EQ(view("find . | sort"), ".\n./srv\n./srv/new\n");
}

/// dpkg's way: make the new one beside, move the old one away, rename, delete.
TEST_F(OverlayCapture, SwappedDirectories) {
  file("parent/app/version", "1");
  file("parent/app/only-old");
  change("mkdir app.new; echo 2 >app.new/version; cp -r app app.old; rm -rf app; mv app.new app; rm -rf app.old");
  EXPECT_THAT(outline(capture_on_parent()), ElementsAre("d app", "w app/only-old", "f app/version"));
  EXPECT_EQ(view("find . | sort; cat app/version"), ".\n./app\n./app/version\n2\n");
}

/// What a sibling adds to a replaced directory stays visible, whichever of the two is mounted above.
TEST_F(OverlayCapture, ASiblingsFileInAReplacedDirectoryIsSeen) {
  file("parent/opt/old");
  change("rm -rf opt; mkdir opt; echo 1 >opt/mine");
  (void)capture_on_parent();
  file("sibling/opt/theirs");
  directory("merged");
  ASSERT_TRUE(os::rename(path("upper"), path("mine")));
  for (const auto& [low, high] : {std::pair("mine", "sibling"), std::pair("sibling", "mine")}) {
    const auto parent = ParentView::open({path("parent"), path(low), path(high)}).value();
    EXPECT_TRUE(parent.read("opt/mine").value()) << low;
    EXPECT_TRUE(parent.read("opt/theirs").value()) << low;
    EXPECT_FALSE(parent.read("opt/old").value()) << low;
  }
}

TEST_F(OverlayCapture, HardLinksAndAttributesSurvive) {
  file("parent/etc/f");
  change("echo 1 >a; ln a b; ln etc/f etc/g");
  const auto captured = capture_on_parent();
  EXPECT_TRUE(entry_at(captured, "b").is_hard_link);
  EXPECT_THAT(outline(captured), Contains("f etc/g"));
  EXPECT_EQ(view("stat -c %h a"), "2\n");
}

TEST_F(OverlayCapture, TwoBuildsOfOneRecipeAreEqual) {
  file("parent/etc/f", "old");
  const std::string script =
      "mkdir -p usr/lib; echo 1 >usr/lib/a; ln usr/lib/a usr/lib/b; echo new >etc/f; echo log >x.log; rm x.log";
  change(script);
  const auto first = serialise(capture_on_parent().inventory);
  ASSERT_TRUE(os::remove_all(path("upper")));
  directory("upper");
  change(script);
  EXPECT_EQ(serialise(capture_on_parent().inventory), first);
}

TEST_F(OverlayCapture, AParentOfSeveralLayersIsOneView) {
  file("parent/etc/low");
  file("second/etc/high");
  directory("upper/etc");
  whiteout("upper/etc/low");
  whiteout("upper/etc/high");
  whiteout("upper/etc/none");
  EXPECT_THAT(outline(capture_on({path("parent"), path("second")})), ElementsAre("d etc", "w etc/high", "w etc/low"));
}

/// Neither the file, nor its deletion, nor its deletion by the replacement of its folder; a link by what it leads to.
TEST_F(OverlayCapture, GeneratedFilesLeaveNoTrace) {
  file("parent/cache/index", "old");
  file("parent/cache/other");
  file("parent/gone/index", "old");
  symlink("made", "parent/cache/link");
  change(
      "echo new >cache/index; rm gone/index; rm cache/link; mkdir fresh; echo 1 >fresh/index; ln -s made fresh/link; "
      "ln -s own fresh/kept; rm -r cache; mkdir cache; echo 2 >cache/index");
  const auto parent = ParentView::open({path("parent")}).value();
  CaptureOptions options;
  options.epoch = k_epoch;
  options.is_generated = [](const std::string& found, const std::optional<std::string>& target) {
    return found.ends_with("/index") || target == "made";
  };
  const auto captured = capture(path("upper"), parent, options);
  ASSERT_TRUE(captured) << captured.error().summary();
  EXPECT_THAT(outline(*captured), ElementsAre("d cache", "w cache/other", "d fresh", "l fresh/kept"));
  EXPECT_EQ(captured->dropped.at("generated"), (Dropped{"generated", 4}));
}

} // namespace
} // namespace sheaf::layer
