// SPDX-License-Identifier: Apache-2.0
#include "oci/reference.hpp"

#include <gtest/gtest.h>

#include <array>
#include <tuple>

namespace sheaf::oci {
namespace {

const std::string k_hex(64, 'a');

TEST(Reference, FillsInWhatPeopleLeaveOut) {
  const std::array<std::tuple<std::string, std::string, std::string>, 15> cases = {{
      {"debian", "docker.io/library/debian:latest", "debian:latest"},
      {"debian:12", "docker.io/library/debian:12", "debian:12"},
      {"me/app", "docker.io/me/app:latest", "me/app:latest"},
      {"docker.io/debian", "docker.io/library/debian:latest", "debian:latest"},
      {"index.docker.io/library/debian", "docker.io/library/debian:latest", "debian:latest"},
      {"docker.io/library/a/b:1", "docker.io/library/a/b:1", "library/a/b:1"},
      {"docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest"},
      {"docker.io/localhost/c", "docker.io/localhost/c:latest", "docker.io/localhost/c:latest"},
      {"localhost/app", "localhost/app:latest", "localhost/app:latest"},
      {"localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"},
      {"Registry/app", "Registry/app:latest", "Registry/app:latest"},
      {"[::1]:5000/a/b:T_1.x-y", "[::1]:5000/a/b:T_1.x-y", "[::1]:5000/a/b:T_1.x-y"},
      {"a--b__c.d_e", "docker.io/library/a--b__c.d_e:latest", "a--b__c.d_e:latest"},
      {"app@sha256:" + k_hex, "docker.io/library/app@sha256:" + k_hex, "app@sha256:" + k_hex},
      {"h.example/app:1@sha256:" + k_hex, "h.example/app:1@sha256:" + k_hex, "h.example/app:1@sha256:" + k_hex},
  }};
  for (const auto& [text, full, familiar] : cases) {
    const auto reference = Reference::parse(text);
    ASSERT_TRUE(reference) << text << ": " << reference.error().summary();
    EXPECT_EQ(reference->to_string(), full);
    EXPECT_EQ(reference->familiar(), familiar);
    EXPECT_EQ(*Reference::parse(reference->to_string()), *reference);
    EXPECT_EQ(*Reference::parse(reference->familiar()), *reference);
  }
}

TEST(Reference, RefusesWhatDockerRefuses) {
  const std::array<std::string, 22> bad = {"",
                                           ":tag",
                                           "/app",
                                           "app/",
                                           "a//b",
                                           "app:",
                                           "app:-x",
                                           "app:a b",
                                           "-app",
                                           "app_",
                                           "a___b",
                                           "a..b",
                                           "app@sha256:1",
                                           "app@md5:0123",
                                           "host:port/app",
                                           "a.b-/app",
                                           "http://x",
                                           "x@" + k_hex,
                                           k_hex,
                                           "app:" + std::string(129, 'a'),
                                           "a b",
                                           std::string(256, 'a')};
  for (const auto& text : bad) {
    const auto reference = Reference::parse(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code(), ErrorCode::invalid);
  }
}

TEST(Reference, KeepsToTheLimits) {
  EXPECT_TRUE(Reference::parse("app:" + std::string(128, 'a')));
  EXPECT_TRUE(Reference::parse("h.example/" + std::string(245, 'a')));
  EXPECT_FALSE(Reference::parse("h.example/" + std::string(246, 'a')));
}

TEST(Reference, SaysHowToSpellUpperCase) {
  const auto reference = Reference::parse("me/MyApp:V1");
  ASSERT_FALSE(reference);
  EXPECT_EQ(reference.error().message(), "'me/MyApp:V1' is not an image name: repositories are written in lower case");
  EXPECT_EQ(reference.error().hint(), "write 'me/myapp'");
}

} // namespace
} // namespace sheaf::oci
