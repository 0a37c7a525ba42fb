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
              IsSupersetOf({"base", "bun", "claude", "codex", "copilot", "cpp", "cursor", "gemini", "go", "java",
                            "node", "omp", "opencode", "pi", "python", "rust", "vibe"}));
}

TEST(Builtin, EveryLayerTakesItsBaseAsArgumentAndEndsAsTheUser) {
  const auto catalogue = builtin_catalogue();
  for (const auto& layer : catalogue.all()) {
    ASSERT_NE(layer.containerfile, nullptr) << layer.name;
    const auto text = layer.containerfile->text();
    EXPECT_THAT(text, StartsWith("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")) << layer.name;
    EXPECT_GT(text.rfind("USER dev") + 1, text.rfind("USER root") + 1) << layer.name;
    EXPECT_EQ(text.find("apt-get update"), std::string_view::npos) << layer.name;
    EXPECT_EQ(text.find("apt-get install") == std::string_view::npos || layer.families.contains(Family::deb), true)
        << layer.name;
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

TEST(Builtin, EveryVariantStartsFromTheBaseAndUsesItsOwnPackageManager) {
  const auto catalogue = builtin_catalogue();
  for (const auto& name : {"base", "cpp", "go", "java", "node", "python", "rust"}) {
    const auto* layer = catalogue.find(name);
    ASSERT_NE(layer, nullptr) << name;
    ASSERT_EQ(layer->families.size(), 3U) << name;
    for (const auto& [family, file] : layer->families) {
      const auto found = layer->files.find(file);
      const std::string_view text = found != layer->files.end() ? found->second : layer->containerfile->text();
      EXPECT_THAT(text, StartsWith("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")) << name << " " << file;
      EXPECT_EQ(text.find("dnf install") != std::string_view::npos, family == Family::rpm) << name << " " << file;
      EXPECT_EQ(text.find("apk add") != std::string_view::npos, family == Family::apk) << name << " " << file;
      EXPECT_NE(text.find("USER dev"), std::string_view::npos) << name << " " << file;
    }
  }
}

TEST(Builtin, TheFirstTestOfAnAgentPrintsItsVersion) {
  const auto catalogue = builtin_catalogue();
  for (const auto& layer : catalogue.all()) {
    EXPECT_TRUE(layer.kind != Kind::agent || layer.tests.front().command.ends_with(" --version")) << layer.name;
  }
}

TEST(Builtin, EveryToolchainTakesAVersion) {
  const auto catalogue = builtin_catalogue();
  for (const auto& layer : catalogue.all()) {
    EXPECT_TRUE(layer.kind != Kind::toolchain || layer.args.contains("version")) << layer.name;
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
