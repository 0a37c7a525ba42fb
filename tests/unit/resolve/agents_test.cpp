// SPDX-License-Identifier: Apache-2.0
#include "resolve/agents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::resolve {
namespace {

using catalogue::Catalogue;
using catalogue::Kind;
using catalogue::LayerDefinition;
using testing::ElementsAre;
using testing::IsEmpty;

Catalogue sample() {
  std::vector<LayerDefinition> layers(4);
  layers[0].name = "codex";
  layers[1].name = "opencode";
  layers[2].name = "gemini";
  layers[0].kind = layers[1].kind = layers[2].kind = Kind::agent;
  layers[3].name = "node";
  layers[3].kind = Kind::toolchain;
  return Catalogue(std::move(layers));
}

TEST(SelectAgents, ReadsListsAndAll) {
  const auto catalogue = sample();
  EXPECT_THAT(select_agents(catalogue, "opencode, codex,codex").value(), ElementsAre("codex", "opencode"));
  EXPECT_THAT(select_agents(catalogue, "all").value(), ElementsAre("codex", "gemini", "opencode"));
  EXPECT_THAT(select_agents(catalogue, "all,-gemini").value(), ElementsAre("codex", "opencode"));
  EXPECT_THAT(select_agents(catalogue, "-gemini,all").value(), ElementsAre("codex", "opencode"));
  EXPECT_THAT(select_agents(catalogue, "none").value(), IsEmpty());
  EXPECT_THAT(select_agents(catalogue, "").value(), IsEmpty());
}

TEST(SelectAgents, RefusesWhatMakesNoSense) {
  const auto catalogue = sample();
  const auto unknown = select_agents(catalogue, "codx");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
  EXPECT_EQ(unknown.error().hint(), "did you mean 'codex'?");
  EXPECT_EQ(select_agents(catalogue, "all,-terraform").error().hint(), "agents: codex, gemini, opencode");
  EXPECT_EQ(select_agents(catalogue, "node").error().message(), "'node' is not an agent but a toolchain");
  EXPECT_EQ(select_agents(catalogue, "node").error().hint(), "choose it with '--layers'");
  EXPECT_EQ(select_agents(catalogue, "none,codex").error().code(), ErrorCode::invalid);
  EXPECT_EQ(select_agents(catalogue, "-codex").error().hint(), "write 'all,-codex'");
}

} // namespace
} // namespace sheaf::resolve
