// SPDX-License-Identifier: Apache-2.0
#include "base/digest.hpp"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Digest, OfTheEmptyString) {
  EXPECT_EQ(Digest::of("").to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, TextRoundTrips) {
  const auto digest = Digest::of("sheaf");
  EXPECT_EQ(Digest::parse(digest.to_string()).value(), digest);
  EXPECT_EQ(Digest::parse(digest.hex()).value(), digest);
}

TEST(Digest, RefusesOtherText) {
  for (const auto* text : {"", "sha256:", "sha512:00", "sha256:E3B0", "zz"}) {
    EXPECT_EQ(Digest::parse(text).error().code(), ErrorCode::invalid) << text;
  }
}

TEST(Sha256, FieldsAreFramed) {
  EXPECT_NE(Sha256().field("ab").field("c").finish(), Sha256().field("a").field("bc").finish());
}

TEST(Sha256, StartsAnewAfterFinish) {
  Sha256 hash;
  hash.update("x");
  (void)hash.finish();
  EXPECT_EQ(hash.update("y").finish(), Digest::of("y"));
}

} // namespace
} // namespace sheaf
