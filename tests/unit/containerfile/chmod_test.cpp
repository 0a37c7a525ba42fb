// SPDX-License-Identifier: Apache-2.0
#include "containerfile/chmod.hpp"

#include <gtest/gtest.h>

namespace sheaf::containerfile {
namespace {

TEST(Chmod, TakesOctalAndSymbolicModes) {
  for (const auto* mode : {"0", "644", "0755", "7777", "u=rwX,go=rX", "+x", "a-w", "g=u", "ug+rw-x", "u=", "o+t,u+s"}) {
    EXPECT_TRUE(is_valid_mode(mode)) << mode;
  }
}

TEST(Chmod, RefusesAnythingElse) {
  for (const auto* mode :
       {"", "8", "0o755", "10000", "-1", "u", "rwx", "u+q", "u=rw,", ",u=r", "u=ug", "=rwz", "x+u "}) {
    EXPECT_FALSE(is_valid_mode(mode)) << mode;
  }
}

} // namespace
} // namespace sheaf::containerfile
