// SPDX-License-Identifier: Apache-2.0
#include "app/layer_caches.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using Kind = CachePlace::Kind;

TEST(LayerCaches, AreRegistriesOrDirectories) {
  EXPECT_EQ(parse_cache("registry.example.org/team/cache").value(),
            (CachePlace{Kind::registry, "registry.example.org/team/cache", false}));
  EXPECT_EQ(parse_cache("oci://localhost:5000/cache,mode=ro").value(),
            (CachePlace{Kind::registry, "localhost:5000/cache", true}));
  EXPECT_EQ(parse_cache("/srv/layers").value(), (CachePlace{Kind::directory, "/srv/layers", false}));
  EXPECT_EQ(parse_cache("file:///srv/layers,mode=rw").value(), (CachePlace{Kind::directory, "/srv/layers", false}));
}

TEST(LayerCaches, WhatIsNotUnderstoodIsSaid) {
  for (const auto* text : {"", "https://x.example.org/cache", "host/cache:tag", "host/Cache", "/srv,mode=no",
                           "host/cache@sha256:0000000000000000000000000000000000000000000000000000000000000000"}) {
    const auto cache = parse_cache(text);
    ASSERT_FALSE(cache) << text;
    EXPECT_EQ(cache.error().code(), ErrorCode::invalid) << text;
  }
}

} // namespace
} // namespace sheaf::app
