// SPDX-License-Identifier: Apache-2.0
#include "app/test_run.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

TestPlace sample() {
  TestPlace place;
  place.join = "0123";
  place.environment.project = "/home/me/project";
  place.environment.stack = {{"base", "base", "the base", 1, "sha256:b"}, {"a", "tool", "named", 2, "sha256:a"}};
  place.environment.config.user = "dev";
  place.environment.config.environment = {{"A", "1"}};
  place.environment.scrubbed = {"etc/machine-id"};
  return place;
}

const catalogue::LayerTest k_test{"a --version", "1."};

TEST(TestKey, IsOfContentAlone) {
  auto place = sample();
  const auto key = test_key(place, k_test);
  place.environment.project = "/elsewhere";
  place.environment.project_name = "other";
  place.environment.stack[1].reason = "detected";
  place.environment.lowers = {"/another/store"};
  EXPECT_EQ(test_key(place, k_test), key);
}

TEST(TestKey, ChangesWithWhateverATestCanSee) {
  const auto key = test_key(sample(), k_test);
  EXPECT_NE(test_key(sample(), {"a --version", "2."}), key);
  EXPECT_NE(test_key(sample(), {"a --help", "1."}), key);
  auto place = sample();
  place.environment.stack[1].content_key = "sha256:c";
  EXPECT_NE(test_key(place, k_test), key);
  place = sample();
  place.environment.config.environment["A"] = "2";
  EXPECT_NE(test_key(place, k_test), key);
  place = sample();
  place.environment.config.user = "root";
  EXPECT_NE(test_key(place, k_test), key);
  place = sample();
  place.join = "4567";
  EXPECT_NE(test_key(place, k_test), key);
  place = sample();
  place.environment.stack.pop_back();
  EXPECT_NE(test_key(place, k_test), key);
  place = sample();
  place.environment.scrubbed.clear();
  EXPECT_NE(test_key(place, k_test), key);
}

} // namespace
} // namespace sheaf::app
