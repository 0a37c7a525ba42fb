// SPDX-License-Identifier: Apache-2.0
#include "join/diversions.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

constexpr std::string_view k_file = "var/lib/dpkg/diversions";

TEST(Diversions, Unites) {
  const std::string base = "/bin/sh\n/bin/sh.distrib\ndash\n";
  EXPECT_EQ(joined_text(k_file, base, {base + "/z\n/z.real\n:\n", base + "/b\n/b.real\npkg\n"}),
            base + "/b\n/b.real\npkg\n/z\n/z.real\n:\n");
  EXPECT_EQ(join_texts(k_file, "", {"/b\n/b.x\npkg\n", "/b\n/b.y\npkg\n"}).conflicts.size(), 1U);
}

TEST(Diversions, WantsThreeLinesEach) {
  EXPECT_EQ(Diversions().parse(k_file, "/a\n/b\nc\n/d\n").error().message(),
            "'/var/lib/dpkg/diversions': line 4: expected a diversion of three lines");
}

} // namespace
} // namespace sheaf::join
