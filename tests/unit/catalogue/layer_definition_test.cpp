// SPDX-License-Identifier: Apache-2.0
#include "catalogue/layer_definition.hpp"

#include <gtest/gtest.h>

namespace sheaf::catalogue {
namespace {

TEST(LayerName, ComesFromTheContainerfileName) {
  EXPECT_EQ(layer_name_of_containerfile("Containerfile"), "base");
  EXPECT_EQ(layer_name_of_containerfile("Containerfile.Python"), "python");
  EXPECT_EQ(layer_name_of_containerfile("Containerfile.my.Tool v2"), "my-tool-v2");
  EXPECT_EQ(layer_name_of_containerfile("Containerfile."), std::nullopt);
  EXPECT_EQ(layer_name_of_containerfile("Containerfiles"), std::nullopt);
  EXPECT_EQ(layer_name_of_containerfile("Dockerfile"), std::nullopt);
}

TEST(LayerName, HasNoRoomForSelectionWords) {
  EXPECT_TRUE(is_layer_name("node-20_x"));
  for (const auto* name : {"", "Node", "a.b", "-x", "all", "none", "project", "a b", "é"}) {
    EXPECT_FALSE(is_layer_name(name)) << name;
  }
}

TEST(Arg, ChecksTypeAndAllowedValues) {
  EXPECT_EQ(arg_mistake({ArgType::version, {}, {}, {}}, "3.12.1-rc1"), std::nullopt);
  EXPECT_EQ(arg_mistake({ArgType::version, {}, {}, {}}, "latest"), std::nullopt);
  EXPECT_EQ(arg_mistake({ArgType::version, {}, {}, {}}, "1; rm"), "'1; rm' is not of type version");
  EXPECT_EQ(arg_mistake({ArgType::integer, {}, {}, {}}, "ten"), "'ten' is not of type int");
  EXPECT_EQ(arg_mistake({ArgType::boolean, {}, {}, {}}, "yes"), "'yes' is not of type bool");
  EXPECT_EQ(arg_mistake({ArgType::string, {}, {"a", "b"}, {}}, "c"), "'c' is not allowed (allowed: a, b)");
}

TEST(Arg, HasANameForContainerfiles) { EXPECT_EQ(build_arg_name("node-version"), "NODE_VERSION"); }

} // namespace
} // namespace sheaf::catalogue
