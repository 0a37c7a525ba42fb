// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/seal.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace sheaf::store {
namespace {

class Seal : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_folder.path() + "/" + name; }
  void write(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(os::write_file(path(name), content));
  }
  /// As if the machine had been started again since.
  void reboot() const {
    const auto text = os::read_file(path("seal")).value();
    write("seal", "another-boot" + text.substr(text.find('\n')));
  }
  void SetUp() override {
    ASSERT_TRUE(os::make_directories(path("tree/etc")));
    write("tree/etc/group", "root:x:0:\n");
    ASSERT_EQ(symlink("group", path("tree/etc/link").c_str()), 0);
    ASSERT_TRUE(seal(m_folder.path()));
  }

  os::TempDir m_folder = os::TempDir::create("/tmp", "sheaf-seal-").value();
};

TEST_F(Seal, HoldsWithinOneRunOfTheMachine) { EXPECT_TRUE(is_intact(m_folder.path())); }

TEST_F(Seal, HoldsAfterARebootIfAllIsAsItWas) {
  const auto before = os::read_file(path("seal")).value();
  reboot();
  EXPECT_TRUE(is_intact(m_folder.path()));
  EXPECT_EQ(os::read_file(path("seal")).value(), before) << "it is renewed, so that nothing is read the next time";
}

TEST_F(Seal, BreaksIfAFileWasCutShort) {
  reboot();
  write("tree/etc/group", "");
  EXPECT_FALSE(is_intact(m_folder.path()));
}

TEST_F(Seal, BreaksIfSomethingIsMissingOrAdded) {
  reboot();
  ASSERT_EQ(unlink(path("tree/etc/link").c_str()), 0);
  EXPECT_FALSE(is_intact(m_folder.path()));
  ASSERT_EQ(symlink("group", path("tree/etc/link").c_str()), 0);
  EXPECT_TRUE(is_intact(m_folder.path()));
  reboot();
  write("tree/etc/more", "");
  EXPECT_FALSE(is_intact(m_folder.path()));
}

TEST_F(Seal, BreaksIfTheSealIsMissingOrCutShort) {
  write("seal", "x");
  EXPECT_FALSE(is_intact(m_folder.path()));
  ASSERT_EQ(unlink(path("seal").c_str()), 0);
  EXPECT_FALSE(is_intact(m_folder.path()));
}

} // namespace
} // namespace sheaf::store
