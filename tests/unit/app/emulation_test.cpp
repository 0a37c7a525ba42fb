// SPDX-License-Identifier: Apache-2.0
#include "app/emulation.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sheaf::app {
namespace {

/// As the kernel prints an entry of Debian's qemu-user-static.
std::string entry(const std::string& state, const std::string& flags, const std::string& magic) {
  return state + "\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: " + flags + "\noffset 0\nmagic " +
         magic + "\nmask ffffffffffffff00fffffffffffffffffeffffff\n";
}

constexpr const char* k_arm64 = "7f454c460201010000000000000000000200b700";
constexpr const char* k_s390x = "7f454c4602020100000000000000000000020016";

TEST(Emulation, EntriesAreReadByWhatTheyMatch) {
  EXPECT_TRUE(emulates(entry("enabled", "POCF", k_arm64), "arm64"));
  EXPECT_FALSE(emulates(entry("enabled", "POCF", k_arm64), "arm"));
  EXPECT_TRUE(emulates(entry("enabled", "F", k_s390x), "s390x"));
  EXPECT_FALSE(emulates(entry("disabled", "POCF", k_arm64), "arm64"));
  EXPECT_FALSE(emulates(entry("enabled", "PC", k_arm64), "arm64")) << "not to be reached from a root of its own";
  EXPECT_FALSE(emulates(entry("enabled", "F", "4d5a"), "arm64"));
  EXPECT_FALSE(emulates("enabled\ninterpreter /x\nflags: F\nextension .py\n", "arm64"));
  EXPECT_FALSE(emulates("", "arm64"));
  EXPECT_FALSE(emulates(entry("enabled", "F", k_arm64), "unknown"));
}

TEST(Emulation, TheNativePlatformRuns) { EXPECT_TRUE(runs_here(plan::native_platform())); }

} // namespace
} // namespace sheaf::app
