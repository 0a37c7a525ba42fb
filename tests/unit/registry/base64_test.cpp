// SPDX-License-Identifier: Apache-2.0
#include "registry/base64.hpp"

#include <gtest/gtest.h>

namespace sheaf::registry {
namespace {

TEST(Base64, TheExamplesOfItsDocument) { // RFC 4648, 10
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, AllBytesComeBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Base64, PaddingMayBeMissingOtherCharactersMayNotBeThere) {
  EXPECT_EQ(from_base64("Zm8"), "fo");
  EXPECT_EQ(from_base64("Zm 8"), std::nullopt);
  EXPECT_EQ(from_base64("Zm-_"), std::nullopt);
}

} // namespace
} // namespace sheaf::registry
