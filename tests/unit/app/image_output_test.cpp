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

TEST(ImageOutput, ImagesGoToFilesAndRegistries) {
  EXPECT_EQ(parse_output("type=oci,dest=x.tar").value().kind, Kind::oci);
  EXPECT_EQ(parse_output("type=oci,tar=false,dest=x").value().kind, Kind::oci_directory);
  EXPECT_EQ(parse_output("type=docker").value().kind, Kind::docker);
  EXPECT_EQ(parse_output("type=docker").value().destination, "-");
  EXPECT_EQ(parse_output("type=image").value().kind, Kind::nothing);
  EXPECT_EQ(parse_output("type=image,push=true").value().kind, Kind::registry);
  const auto registry = parse_output("type=registry,name=example.org/a:1,compression=gzip").value();
  EXPECT_EQ(registry.kind, Kind::registry);
  EXPECT_EQ(registry.names, std::vector<std::string>{"example.org/a:1"});
  EXPECT_EQ(registry.compression, oci::Compression::gzip);
}

TEST(ImageOutput, WhatMakesNoSenseIsSaid) {
  for (const auto* text :
       {"type=local", "type=local,dest=-", "type=zip,dest=x", "type=tar,to=x", "dest=x", "type=docker,tar=false",
        "type=oci,tar=false", "type=oci,compression=lzma", "type=image,push=1"}) {
    const auto output = parse_output(text);
    ASSERT_FALSE(output) << text;
    EXPECT_EQ(output.error().code(), ErrorCode::invalid) << text;
    EXPECT_FALSE(output.error().hint().empty()) << text;
  }
}

} // namespace
} // namespace sheaf::app
