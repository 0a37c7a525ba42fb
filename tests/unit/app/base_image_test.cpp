// SPDX-License-Identifier: Apache-2.0
#include "app/base_image.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using catalogue::Family;

TEST(BaseImage, TheFamilyIsThatOfTheDistributionOrOfOneItIsLike) {
  EXPECT_EQ(family_of({"debian", "12"}), Family::deb);
  EXPECT_EQ(family_of({"ubuntu", "24.04", "debian"}), Family::deb);
  EXPECT_EQ(family_of({"linuxmint", "21", "ubuntu debian"}), Family::deb);
  EXPECT_EQ(family_of({"fedora", "44"}), Family::rpm);
  EXPECT_EQ(family_of({"oracle", "9", "rhel fedora"}), Family::rpm);
  EXPECT_EQ(family_of({"opensuse-leap", "15.6", "suse opensuse"}), Family::rpm);
  EXPECT_EQ(family_of({"alpine", "3.20"}), Family::apk);
  EXPECT_EQ(family_of({"arch", ""}), std::nullopt);
  EXPECT_EQ(family_of({}), std::nullopt);
}

TEST(BaseImage, TheLayerOfAnImageIsTheBuiltInOne) {
  Project project;
  EXPECT_EQ(base_layer(project), "base");
  project.config.base = "house";
  EXPECT_EQ(base_layer(project), "house");
  project.config.base = "registry.example.org/team/house:1";
  EXPECT_EQ(base_layer(project), "base");
}

TEST(BaseImage, IsDescribedWithDigestAndFamily) {
  plan::Foundation foundation;
  EXPECT_EQ(describe(foundation), "");
  foundation.image.emplace();
  foundation.image->name = "debian:12";
  foundation.image->digest = "sha256:12";
  foundation.family = Family::deb;
  foundation.family_source = "Debian GNU/Linux 12 (bookworm)";
  EXPECT_EQ(describe(foundation), "debian:12 is sha256:12 (deb, Debian GNU/Linux 12 (bookworm))");
}

} // namespace
} // namespace sheaf::app
