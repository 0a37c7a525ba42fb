// SPDX-License-Identifier: Apache-2.0
#include "catalogue/builtin.hpp"
#include "catalogue/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace sheaf::catalogue {
namespace {

using testing::IsSupersetOf;
using testing::StartsWith;

Catalogue builtin_catalogue() {
  Diagnostics diagnostics;
  Catalogue catalogue(builtin_layers(diagnostics));
  catalogue.check(diagnostics);
  EXPECT_EQ(diagnostics.render(), "");
  return catalogue;
}

TEST(Builtin, AllLayersAreFreeOfMistakes) {
  EXPECT_THAT(builtin_catalogue().names(),
              IsSupersetOf({"base", "codex", "cpp", "go", "java", "node", "opencode", "python", "rust"}));
}

TEST(Builtin, EveryLayerTakesItsBaseAsArgumentAndEndsAsTheUser) {
  const auto catalogue = builtin_catalogue();
  for (const auto& layer : catalogue.all()) {
    ASSERT_NE(layer.containerfile, nullptr) << layer.name;
    const auto text = layer.containerfile->text();
    EXPECT_THAT(text, StartsWith("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")) << layer.name;
    EXPECT_GT(text.rfind("USER dev") + 1, text.rfind("USER root") + 1) << layer.name;
    EXPECT_EQ(text.find("apt-get update"), std::string_view::npos) << layer.name;
    EXPECT_FALSE(layer.tests.empty()) << layer.name;
  }
}

TEST(Builtin, TheBaseIsBootstrappedAndCarriesItsInitScript) {
  const auto catalogue = builtin_catalogue();
  const auto* base = catalogue.find("base");
  ASSERT_NE(base, nullptr);
  ASSERT_TRUE(base->bootstrap.has_value());
  EXPECT_EQ(base->bootstrap->tool, "mmdebstrap");
  EXPECT_EQ(base->bootstrap->suite, "bookworm");
  EXPECT_EQ(base->bootstrap->variant, "minbase");
  EXPECT_TRUE(base->files.contains("sheaf-init"));
  EXPECT_NE(base->containerfile->text().find("CMD [\"/usr/local/bin/sheaf-init\"]"), std::string_view::npos);
}

TEST(Builtin, EveryLayerThatFilesAskAVersionOfSaysWhichItBrings) {
  const auto catalogue = builtin_catalogue();
  for (const auto& layer : catalogue.all()) {
    const bool has_versions =
        std::any_of(layer.detect.begin(), layer.detect.end(), [](const auto& rule) { return !rule.version.empty(); });
    EXPECT_TRUE(!has_versions || layer.args.contains("version") || !layer.brings.empty()) << layer.name;
  }
}

TEST(Builtin, EveryAgentIsVolatileAndSaysWhereItsCredentialsAre) {
  const auto catalogue = builtin_catalogue();
  for (const auto& layer : catalogue.all()) {
    if (layer.kind == Kind::agent) {
      EXPECT_TRUE(layer.is_volatile) << layer.name;
      EXPECT_FALSE(layer.credentials.empty()) << layer.name;
      EXPECT_TRUE(layer.args.contains("version")) << layer.name;
    }
  }
}

} // namespace
} // namespace sheaf::catalogue
