// SPDX-License-Identifier: Apache-2.0
#include "os/child.hpp"
#include "workspace/first_start.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::workspace {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(FirstStart, NothingIsMadeThatNoLayerLost) {
  EXPECT_TRUE(first_start_files({}).value().empty());
  EXPECT_EQ(first_start_script({}), "");
  EXPECT_EQ(first_start_script({"var/log/**", "etc/machine-id", "a rule of a layer"}), "");
  EXPECT_TRUE(first_start_files({"etc/ssh/ssh_host_*"}).value().empty());
}

TEST(FirstStart, AMachineIdIsOfVersionFourAndNewEachTime) {
  const auto files = first_start_files({"etc/machine-id", "var/lib/dbus/machine-id"}).value();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].path, "/etc/machine-id");
  EXPECT_EQ(files[1].path, "/var/lib/dbus/machine-id");
  EXPECT_EQ(files[0].content, files[1].content);
  EXPECT_EQ(files[0].content.size(), 33U);
  EXPECT_EQ(files[0].content.find_first_not_of("0123456789abcdef"), 32U);
  EXPECT_EQ(files[0].content[12], '4');
  EXPECT_NE(first_start_files({"etc/machine-id"}).value()[0].content, files[0].content);
}

TEST(FirstStart, OnlyWhatWasLostIsMade) {
  const auto script = first_start_script({"etc/ssh/ssh_host_*"});
  EXPECT_THAT(script, HasSubstr("ssh-keygen -A"));
  EXPECT_THAT(script, Not(HasSubstr("pg_createcluster")));
}

/// On a machine that has none of the programs' files there is nothing to do, and a shell understands all of it.
TEST(FirstStart, TheWholeScriptIsUnderstoodByAShell) {
  const auto script = first_start_script(
      {"etc/ssh/ssh_host_*", "etc/ssl/private/ssl-cert-snakeoil.key", "var/lib/postgresql/*/*/**", "var/lib/mysql/**"});
  os::SpawnOptions options;
  options.argv = {"/bin/sh", "-n", "-c", script};
  EXPECT_TRUE(os::Child::spawn(options).value().wait().value().ok()) << script;
}

} // namespace
} // namespace sheaf::workspace
