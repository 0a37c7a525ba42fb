// SPDX-License-Identifier: Apache-2.0
// The comparison of two real overlay mounts, with what only root can make: owners, devices, trusted attributes.

#include "layer/compare.hpp"

#include <gmock/gmock.h>

#include "integration/layer/capture_support.hpp"

namespace sheaf::layer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CompareRoots : public CaptureBase {
protected:
  Comparison run(const std::vector<std::string>& first, const std::vector<std::string>& second) const {
    const auto a = ParentView::open(paths(first)).value();
    const auto b = ParentView::open(paths(second)).value();
    return compare(a.root(), b.root(), {"joined root", "sequential root", {}}).value();
  }
  static std::vector<std::string> lines(const Comparison& comparison) {
    std::vector<std::string> lines;
    for (const auto& difference : comparison.differences) {
      lines.push_back(difference.path + ": " + difference.what);
    }
    return lines;
  }

private:
  std::vector<std::string> paths(const std::vector<std::string>& names) const {
    std::vector<std::string> full;
    full.reserve(names.size());
    for (const auto& name : names) {
      full.push_back(path(name));
    }
    return full;
  }
};

/// The base's files are one inode in both mounts; only what the layers wrote is read.
TEST_F(CompareRoots, ASharedLowerIsNotRead) {
  file("parent/etc/base", "base");
  file("parent/usr/lib/large", std::string(100000, 'x'));
  file("left/opt/made", "1");
  file("right/opt/made", "1");
  const auto comparison = run({"parent", "left"}, {"parent", "right"});
  EXPECT_THAT(lines(comparison), IsEmpty());
  EXPECT_EQ(comparison.files_read, 1U);
  EXPECT_EQ(comparison.paths, 7U);
}

/// A raw upper directory, whiteouts and opaque marks and all, against a captured tree that says the same by name.
TEST_F(CompareRoots, OverlayMarksAreNoDifference) {
  file("parent/opt/old");
  file("parent/etc/gone");
  directory("left/opt");
  whiteout("left/opt/old");
  directory("left/etc");
  whiteout("left/etc/gone");
  directory("right/opt");
  opaque("right/opt");
  directory("right/etc");
  whiteout("right/etc/gone");
  EXPECT_THAT(lines(run({"parent", "left"}, {"parent", "right"})), IsEmpty());
}

TEST_F(CompareRoots, AHiddenFileIsADifference) {
  file("parent/opt/old");
  directory("left/opt");
  directory("right/opt");
  opaque("right/opt");
  EXPECT_THAT(lines(run({"parent", "left"}, {"parent", "right"})),
              ElementsAre("opt/old: file only in the joined root"));
}

TEST_F(CompareRoots, OwnersDevicesAndAttributes) {
  for (const std::string side : {"left", "right"}) {
    file(side + "/attribute");
    file(side + "/owner");
    file(side + "/same");
    attribute(side + "/same", "user.note", "1");
  }
  attribute("right/attribute", "security.capability", std::string("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20));
  ASSERT_EQ(chown(path("right/owner").c_str(), 1, 2), 0);
  ASSERT_EQ(mknod(path("left/device").c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
  ASSERT_EQ(mknod(path("right/device").c_str(), S_IFCHR | 0600, makedev(1, 5)), 0);
  ASSERT_EQ(mkfifo(path("left/pipe").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo(path("right/pipe").c_str(), 0600), 0);
  EXPECT_THAT(lines(run({"left"}, {"right"})),
              ElementsAre("attribute: extended attributes", "device: device 1:3 / 1:5", "owner: owner 0:0 / 1:2"));
}

} // namespace
} // namespace sheaf::layer
