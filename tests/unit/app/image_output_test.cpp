// SPDX-License-Identifier: Apache-2.0
#include "app/image_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using Kind = OutputRequest::Kind;

TEST(ImageOutput, APathIsADirectoryAndADashATar) {
  EXPECT_EQ(parse_output("out").value().kind, Kind::directory);
  EXPECT_EQ(parse_output("out").value().destination, "out");
  EXPECT_EQ(parse_output("-").value().kind, Kind::tar);
  EXPECT_EQ(parse_output("-").value().destination, "-");
}

TEST(ImageOutput, TypesAndDestinations) {
  EXPECT_EQ(parse_output("type=tar,dest=x.tar").value().kind, Kind::tar);
  EXPECT_EQ(parse_output("dest=x,type=local").value().destination, "x");
  EXPECT_EQ(parse_output("type=tar").value().destination, "-");
  EXPECT_EQ(parse_output("type=cacheonly").value().kind, Kind::nothing);
}

TEST(ImageOutput, WhatMakesNoSenseIsSaid) {
  for (const auto* text : {"type=local", "type=local,dest=-", "type=zip,dest=x", "type=tar,to=x", "dest=x"}) {
    const auto output = parse_output(text);
    ASSERT_FALSE(output) << text;
    EXPECT_EQ(output.error().code(), ErrorCode::invalid) << text;
    EXPECT_FALSE(output.error().hint().empty()) << text;
  }
  EXPECT_EQ(parse_output("type=oci,dest=x").error().code(), ErrorCode::unsupported);
}

} // namespace
} // namespace sheaf::app
