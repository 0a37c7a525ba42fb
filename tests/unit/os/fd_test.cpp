// SPDX-License-Identifier: Apache-2.0
#include "os/fd.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(Fd, ClosesOnDestructionAndIsEmptyAfterAMove) {
  int number = -1;
  {
    Fd first = memory_file("x").value();
    number = first.get();
    Fd second = std::move(first);
    EXPECT_FALSE(first); // NOLINT(bugprone-use-after-move): that is the point
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, AssignmentClosesWhatWasHeld) {
  Fd held = memory_file("a").value();
  const int before = held.get();
  held = memory_file("b").value();
  EXPECT_FALSE(is_open(before));
  EXPECT_EQ(read_all(held).value(), "b");
}

TEST(Fd, EveryDescriptorIsCloseOnExec) {
  const auto closes = [](const Fd& fd) { return (fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0; };
  const auto pipe = Pipe::create().value();
  const auto memory = memory_file("").value();
  EXPECT_TRUE(closes(pipe.read));
  EXPECT_TRUE(closes(pipe.write));
  EXPECT_TRUE(closes(memory));
  EXPECT_TRUE(closes(duplicate(memory).value()));
  EXPECT_TRUE(closes(open("/dev/null", O_RDONLY).value()));
}

TEST(Fd, ReleaseGivesUpOwnership) {
  Fd fd = memory_file("x").value();
  const Fd owner(fd.release());
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(owner.get()));
}

TEST(Fd, ReadsBackWhatWasWrittenThroughAPipe) {
  auto pipe = Pipe::create().value();
  ASSERT_TRUE(write_all(pipe.write, std::string("zero\0byte", 9)));
  ASSERT_TRUE(pipe.write.close());
  EXPECT_EQ(read_all(pipe.read).value(), std::string("zero\0byte", 9));
}

TEST(Fd, OpenSaysWhatIsMissing) {
  const auto missing = open("/nonexistent/file", O_RDONLY);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
  EXPECT_THAT(missing.error().message(), testing::HasSubstr("/nonexistent/file"));
}

class FdInRoot : public InTempDir {
protected:
  void SetUp() override {
    make("root/etc");
    write("outside", "outside");
    write("root/inside", "inside");
    link("/inside", "root/etc/absolute");
    link("../../../../outside", "root/etc/climbs");
    link("../..", "root/etc/up");
    link("/proc/self/root", "root/magic");
    link("../outside", "root/out");
  }
  Fd directory() const { return open(path("root"), O_RDONLY | O_DIRECTORY).value(); }
};

TEST_F(FdInRoot, AbsoluteSymlinksStartAtTheRoot) {
  const auto fd = open_in_root(directory(), "/etc/absolute", O_RDONLY);
  ASSERT_TRUE(fd);
  EXPECT_EQ(read_all(*fd).value(), "inside");
}

TEST_F(FdInRoot, NothingLeadsOut) {
  for (const auto* name : {"etc/climbs", "out", "../outside", "etc/up/outside", "etc/../../outside"}) {
    EXPECT_FALSE(open_in_root(directory(), name, O_RDONLY)) << name;
  }
  EXPECT_EQ(read_all(open_in_root(directory(), "../../inside", O_RDONLY).value()).value(), "inside");
}

TEST_F(FdInRoot, NothingIsCreatedOutside) {
  link("../created", "root/trap");
  (void)open_in_root(directory(), "trap", O_WRONLY | O_CREAT, 0644);
  EXPECT_FALSE(exists(path("created")));
}

TEST_F(FdInRoot, BeneathRefusesToLeave) {
  for (const auto* name : {"etc/climbs", "out", "../outside", "etc/absolute", "/inside", "magic/etc"}) {
    EXPECT_FALSE(open_beneath(directory(), name, O_RDONLY)) << name;
  }
  EXPECT_TRUE(open_beneath(directory(), "etc/../inside", O_RDONLY));
}

} // namespace
} // namespace sheaf::os
