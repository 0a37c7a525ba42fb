// SPDX-License-Identifier: Apache-2.0
#include "sandbox/file_mode.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace sheaf::sandbox {
namespace {

mode_t file(const char* text, mode_t mode) { return FileMode::parse(text).value().apply(S_IFREG | mode); }
mode_t folder(const char* text, mode_t mode) { return FileMode::parse(text).value().apply(S_IFDIR | mode); }

TEST(FileMode, OctalIsTheMode) {
  EXPECT_EQ(file("755", 04640), 0755U);
  EXPECT_EQ(file("04755", 0), 04755U);
  EXPECT_EQ(folder("0", 0777), 0U);
}

TEST(FileMode, SymbolsChangeIt) {
  EXPECT_EQ(file("u+x", 0644), 0744U);
  EXPECT_EQ(file("+x", 0644), 0755U);
  EXPECT_EQ(file("go-rwx", 0755), 0700U);
  EXPECT_EQ(file("a=r", 0777), 0444U);
  EXPECT_EQ(file("g=u", 0640), 0660U);
  EXPECT_EQ(file("u=rwx,go=", 0644), 0700U);
  EXPECT_EQ(file("u+s,g+s,+t", 0755), 07755U);
  EXPECT_EQ(file("u=rw", 04755), 0655U);
  EXPECT_EQ(file("u+r-w", 0200), 0400U);
  EXPECT_EQ(file("o+t", 0755), 01755U);
  EXPECT_EQ(file("u+t", 0755), 0755U);
}

TEST(FileMode, XIsForFoldersAndPrograms) {
  EXPECT_EQ(file("u=rwX,go=rX", 0600), 0644U);
  EXPECT_EQ(file("u=rwX,go=rX", 0700), 0755U);
  EXPECT_EQ(folder("u=rwX,go=rX", 0600), 0755U);
}

TEST(FileMode, RefusesTheRest) {
  for (const auto* text : {"", "8", "77777", "0o7", "u", "u+q", "z+x", "u+x,", ",u+x", "+x+", "u=rwx go=r", "-1"}) {
    const auto mode = FileMode::parse(text);
    if (std::string_view(text) == "+x+") {
      EXPECT_TRUE(mode.has_value()); // an empty change, as chmod has it
    } else {
      EXPECT_FALSE(mode.has_value()) << text;
    }
  }
}

} // namespace
} // namespace sheaf::sandbox
