// SPDX-License-Identifier: Apache-2.0
#include "app/step_caches.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using Kind = StepCachePlace::Kind;

StepCachePlace in_registry(std::string name) { return {Kind::registry, std::move(name)}; }

TEST(StepCaches, ReadAsDockerWritesThem) {
  EXPECT_EQ(parse_cache_from("type=registry,ref=host.example/app:cache").value(),
            std::vector{in_registry("host.example/app:cache")});
  EXPECT_EQ(parse_cache_from("app:one,host.example/app").value(),
            (std::vector{in_registry("app:one"), in_registry("host.example/app")}));
  EXPECT_EQ(parse_cache_from("type=local,src=/srv/cache").value(),
            std::vector{(StepCachePlace{Kind::directory, "/srv/cache"})});
  EXPECT_EQ(parse_cache_from("type=local,src=here,tag=v2").value(),
            std::vector{(StepCachePlace{Kind::directory, "here", "v2"})});
  EXPECT_EQ(parse_cache_to("type=registry,ref=app:c,mode=max,ignore-error=true,compression=gzip").value(),
            std::vector{(StepCachePlace{Kind::registry, "app:c", "latest", true, true, oci::Compression::gzip})});
  EXPECT_EQ(parse_cache_to("type=local,dest=out,mode=min,oci-mediatypes=true").value(),
            std::vector{(StepCachePlace{Kind::directory, "out"})});
  EXPECT_EQ(parse_cache_to("type=inline").value(), std::vector{(StepCachePlace{Kind::beside, ""})});
}

TEST(StepCaches, WhatIsNotUnderstoodIsRefused) {
  for (const auto* text :
       {"", "type=registry", "type=local", "type=local,dest=/x", "type=inline", "type=registry,ref=A", "host/Upper",
        "type=registry,ref=app,mode=max", "type=registry,ref=app,dest=/x"}) {
    const auto parsed = parse_cache_from(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::invalid) << text;
  }
  for (const auto* text : {"type=local,src=/x", "type=registry,ref=app,mode=all", "type=registry,ref=app,x=y",
                           "type=registry,ref=app,ignore-error=perhaps", "type=registry,ref=app,compression=lzma",
                           "app@sha256:0000000000000000000000000000000000000000000000000000000000000000"}) {
    const auto parsed = parse_cache_to(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::invalid) << text;
  }
  for (const auto* text : {"type=gha", "type=s3,bucket=x", "type=azblob,name=x"}) {
    EXPECT_EQ(parse_cache_from(text).error().code(), ErrorCode::unsupported) << text;
    EXPECT_EQ(parse_cache_to(text).error().code(), ErrorCode::unsupported) << text;
  }
}

} // namespace
} // namespace sheaf::app
