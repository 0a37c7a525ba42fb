// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace sheaf {
namespace {

Result<int> fails() { return Error::from_errno(EPERM, "mount overlay at '/x'"); }

Result<int> passes_up() {
  SHEAF_TRY_ASSIGN(const int value, fails().context("step 3 (RUN npm ci)"));
  return value + 1;
}

TEST(Error, PathsThatCannotBeResolvedAreTheCallersMistake) {
  EXPECT_EQ(Error::from_errno(ELOOP, "open '/x'").code(), ErrorCode::invalid);
  EXPECT_EQ(Error::from_errno(ENAMETOOLONG, "open '/x'").code(), ErrorCode::invalid);
}

TEST(Error, KeepsTheChainOuterFirst) {
  auto result = passes_up().context("building layer 'node'").hint("run 'sheaf doctor'");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::denied);
  EXPECT_EQ(result.error().render(), "error: building layer 'node': step 3 (RUN npm ci): mount overlay at '/x': "
                                     "Operation not permitted\nhint: run 'sheaf doctor'");
}

TEST(Error, CodesRoundTrip) {
  for (const auto code : {ErrorCode::not_found, ErrorCode::denied, ErrorCode::invalid, ErrorCode::corrupt,
                          ErrorCode::busy, ErrorCode::network, ErrorCode::cancelled, ErrorCode::unsupported,
                          ErrorCode::failed_step, ErrorCode::conflict, ErrorCode::no_space, ErrorCode::internal}) {
    EXPECT_EQ(error_code_from(to_string(code)), code);
  }
  EXPECT_EQ(error_code_from("of the future"), ErrorCode::internal);
}

} // namespace
} // namespace sheaf
