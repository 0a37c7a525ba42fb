// SPDX-License-Identifier: Apache-2.0
// Part of every test program. For root on a CI machine everything can be arranged: what skips there is not tested.

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace {

class NoSkips : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& info) override {
    if (info.result()->Skipped()) {
      ADD_FAILURE() << "skipped, with CI set and as root, where nothing may be missing";
    }
  }
};

/// googletest owns it.
const bool k_is_watched = [] {
  if (std::getenv("CI") != nullptr && geteuid() == 0) {
    testing::UnitTest::GetInstance()->listeners().Append(std::make_unique<NoSkips>().release());
  }
  return true;
}();

} // namespace
