// SPDX-License-Identifier: Apache-2.0
#include "plan/platform.hpp"

#include <gtest/gtest.h>

namespace sheaf::plan {
namespace {

TEST(Platform, IsReadAndNormalised) {
  for (const auto& [text, expected] :
       std::vector<std::pair<std::string, std::string>>{{"linux/amd64", "linux/amd64"},
                                                        {"Linux/x86_64", "linux/amd64"},
                                                        {"arm64", "linux/arm64"},
                                                        {"linux/aarch64", "linux/arm64"},
                                                        {"linux/arm64/v8", "linux/arm64"},
                                                        {"linux/arm", "linux/arm/v7"},
                                                        {"armel", "linux/arm/v6"},
                                                        {"linux/arm/v5", "linux/arm/v5"},
                                                        {"windows/amd64", "windows/amd64"}}) {
    const auto platform = Platform::parse(text);
    ASSERT_TRUE(platform) << text;
    EXPECT_EQ(platform->to_string(), expected);
    EXPECT_EQ(Platform::parse(platform->to_string()).value(), *platform);
  }
}

TEST(Platform, RefusesWhatIsNone) {
  for (const auto* text : {"", "/", "linux", "linux/", "linux/amd64/v1/x", "linux/z80", "a b/amd64"}) {
    const auto platform = Platform::parse(text);
    ASSERT_FALSE(platform) << text;
    EXPECT_EQ(platform.error().code(), ErrorCode::invalid);
  }
}

TEST(PlatformImage, SaysThePlatformUnlessItIsTheNativeOne) {
  const Platform foreign{"linux", "riscv64", ""};
  const PlatformImage image{"oci-layout:///srv/for/x:1", foreign};
  EXPECT_EQ(image.to_string(), "oci-layout:///srv/for/x:1 for linux/riscv64");
  EXPECT_EQ(PlatformImage::parse(image.to_string()), image);
  EXPECT_EQ((PlatformImage{"alpine", native_platform()}.to_string()), "alpine");
  EXPECT_EQ(PlatformImage::parse("alpine"), (PlatformImage{"alpine", std::nullopt}));
  EXPECT_EQ(PlatformImage::parse("waiting for godot").name, "waiting for godot");
}

} // namespace
} // namespace sheaf::plan
