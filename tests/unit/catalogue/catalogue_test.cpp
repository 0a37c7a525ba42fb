// SPDX-License-Identifier: Apache-2.0
#include "catalogue/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace sheaf::catalogue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LayerDefinition layer(const std::string& name, Origin origin = Origin::builtin, const std::string& yml = {}) {
  Diagnostics diagnostics;
  const auto text = yml.empty() ? "summary: s\nkind: tool\n" : "summary: s\nkind: tool\n" + yml;
  auto result = layer_from_files(name, origin, std::string(to_string(origin)) + "/" + name,
                                 {{"layer.yml", text}, {"Containerfile", "FROM scratch\n"}}, diagnostics);
  EXPECT_EQ(diagnostics.render(), "");
  return std::move(result).value();
}

TEST(Catalogue, LaterOriginWinsWhateverTheOrder) {
  const Catalogue catalogue(
      {layer("a", Origin::project), layer("b"), layer("a", Origin::builtin), layer("a", Origin::user)});
  EXPECT_THAT(catalogue.names(), ElementsAre("a", "b"));
  EXPECT_EQ(catalogue.find("a")->origin, Origin::project);
  ASSERT_EQ(catalogue.shadowed("a").size(), 2U);
  EXPECT_EQ(catalogue.shadowed("a")[0].origin, Origin::user);
  EXPECT_EQ(catalogue.shadowed("a")[1].origin, Origin::builtin);
  EXPECT_TRUE(catalogue.shadowed("b").empty());
  EXPECT_EQ(catalogue.find("c"), nullptr);
}

TEST(Catalogue, ReportsUnknownLayersWithAdvice) {
  const Catalogue catalogue(
      {layer("node"), layer("codex", Origin::builtin, "needs: [nodee]\nconflicts: [terraform]\n")});
  Diagnostics diagnostics;
  catalogue.check(diagnostics);
  EXPECT_EQ(diagnostics.error_count(), 2U);
  EXPECT_THAT(diagnostics.render(), HasSubstr("builtin/codex/layer.yml:3:9: error: unknown layer 'nodee' in 'needs'"));
  EXPECT_THAT(diagnostics.render(), HasSubstr("did you mean 'node'?"));
}

TEST(Catalogue, ReportsEveryCycleWithItsPath) {
  const Catalogue catalogue({layer("a", Origin::builtin, "needs: [b]\n"), layer("b", Origin::builtin, "needs: [a]\n"),
                             layer("x", Origin::builtin, "needs: [z]\n"), layer("y", Origin::builtin, "needs: [x]\n"),
                             layer("z", Origin::builtin, "needs: [y]\n")});
  Diagnostics diagnostics;
  catalogue.check(diagnostics);
  EXPECT_EQ(diagnostics.error_count(), 2U);
  EXPECT_THAT(diagnostics.render(), HasSubstr("a → b → a"));
  EXPECT_THAT(diagnostics.render(), HasSubstr("x → z → y → x"));
}

TEST(Catalogue, ReportsTwoDefinitionsInOneOrigin) {
  const Catalogue catalogue({layer("a", Origin::user), layer("a", Origin::user), layer("a", Origin::builtin)});
  Diagnostics diagnostics;
  catalogue.check(diagnostics);
  ASSERT_EQ(diagnostics.error_count(), 1U);
  EXPECT_EQ(diagnostics.all()[0].rule, "duplicate-layer");
}

} // namespace
} // namespace sheaf::catalogue
