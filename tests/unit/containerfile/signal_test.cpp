// SPDX-License-Identifier: Apache-2.0
#include "containerfile/signal.hpp"

#include <gtest/gtest.h>

namespace sheaf::containerfile {
namespace {

TEST(Signal, HasANumberOrAName) {
  for (const auto* text : {"1", "9", "64", "SIGTERM", "term", "SigInt", "WINCH", "RTMIN", "SIGRTMIN+15", "RTMAX-1"}) {
    EXPECT_TRUE(is_signal(text)) << text;
  }
  for (const auto* text : {"", "0", "65", "-1", "SIG", "SIGNOPE", "RTMIN+16", "RTMIN+", "RTMAX+1", "TERM "}) {
    EXPECT_FALSE(is_signal(text)) << text;
  }
}

} // namespace
} // namespace sheaf::containerfile
