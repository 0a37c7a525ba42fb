// SPDX-License-Identifier: Apache-2.0
#include "os/xattr.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class Attributes : public InTempDir {
protected:
  void SetUp() override {
    write("file", "");
    m_fd = open(root(), O_RDONLY | O_DIRECTORY).value();
    if (!set_attribute_at(m_fd, "file", "user.probe", "")) {
      GTEST_SKIP() << "the file system of the temporary directory has no user attributes";
    }
  }
  Fd m_fd;
};

TEST_F(Attributes, KeepBytesAsTheyAre) {
  const std::string value("a\0\xff\n", 4);
  ASSERT_TRUE(set_attribute_at(m_fd, "file", "user.bytes", value));
  const auto found = attributes_at(m_fd, "file").value();
  EXPECT_THAT(found, Contains(Pair("user.bytes", value)));
  EXPECT_THAT(found, Contains(Pair("user.probe", "")));
}

TEST_F(Attributes, RemovingWhatIsNotThereIsSuccess) {
  ASSERT_TRUE(remove_attribute_at(m_fd, "file", "user.probe"));
  EXPECT_TRUE(remove_attribute_at(m_fd, "file", "user.probe"));
  EXPECT_THAT(attributes_at(m_fd, "file").value(), Not(Contains(Pair("user.probe", testing::_))));
}

TEST_F(Attributes, DoNotFollowSymlinks) {
  link("file", "link");
  EXPECT_THAT(attributes_at(m_fd, "link").value(), IsEmpty());
}

} // namespace
} // namespace sheaf::os
