// SPDX-License-Identifier: Apache-2.0
#include "sandbox/process_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::sandbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view k_passwd = "root:x:0:0:root:/root:/bin/bash\n"
                                      "dev:x:1000:1001:,,,:/home/dev:/bin/sh\n"
                                      "42:x:7:8:a name of digits:/n:/bin/sh\n"
                                      "short:x:5\n";
constexpr std::string_view k_group =
    "root:x:0:\ndocker:x:999:dev,other\nusers:x:100:dev\ndeveloper:x:5:developer\nbad:x\n";

struct Case {
  std::string_view user;
  unsigned uid;
  unsigned gid;
  std::vector<unsigned> groups;
  std::string_view name;
  std::string_view home;
};

TEST(ResolveUser, FollowsTheTable) {
  const std::vector<Case> cases = {
      {"", 0, 0, {}, "root", "/root"},
      {"root", 0, 0, {}, "root", "/root"},
      {"dev", 1000, 1001, {999, 100}, "dev", "/home/dev"},
      {"1000", 1000, 1001, {999, 100}, "dev", "/home/dev"},
      {"dev:docker", 1000, 999, {}, "dev", "/home/dev"},
      {"dev:77", 1000, 77, {}, "dev", "/home/dev"},
      {"1000:docker", 1000, 999, {}, "dev", "/home/dev"},
      {"42", 7, 8, {}, "42", "/n"},
      {"12345", 12345, 0, {}, "12345", "/"},
      {"12345:54321", 12345, 54321, {}, "12345", "/"},
      {":users", 0, 100, {}, "root", "/root"},
  };
  for (const auto& expected : cases) {
    const auto identity = resolve_user(expected.user, k_passwd, k_group);
    ASSERT_TRUE(identity) << expected.user;
    EXPECT_EQ(identity->uid, expected.uid) << expected.user;
    EXPECT_EQ(identity->gid, expected.gid) << expected.user;
    EXPECT_EQ(identity->groups, expected.groups) << expected.user;
    EXPECT_EQ(identity->name, expected.name) << expected.user;
    EXPECT_EQ(identity->home, expected.home) << expected.user;
  }
}

TEST(ResolveUser, UnknownNamesAreNotFound) {
  for (const auto* user : {"nobody", "short", "-1", "1x", "dev:nogroup", "dev:", "4294967296"}) {
    const auto identity = resolve_user(user, k_passwd, k_group);
    ASSERT_FALSE(identity) << user;
    EXPECT_EQ(identity.error().code(), ErrorCode::not_found) << user;
  }
}

TEST(ResolveUser, RootNeedsNoFiles) {
  const auto identity = resolve_user("", "", "").value();
  EXPECT_EQ(identity.uid, 0U);
  EXPECT_THAT(identity.groups, IsEmpty());
}

/// A line that cannot be read must not make its user root.
TEST(ResolveUser, ADamagedLineIsNotRoot) {
  const auto identity = resolve_user("dev", "dev:x:what:1000::/home/dev:/bin/sh\n", "");
  EXPECT_FALSE(identity && identity->uid == 0);
}

} // namespace
} // namespace sheaf::sandbox
