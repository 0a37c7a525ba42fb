// SPDX-License-Identifier: Apache-2.0
// As the program's own main: sandboxes are forked from this program started again.

#include "sandbox/helper.hpp"
#include "sandbox/zygote.hpp"

#include <gtest/gtest.h>

#include <string_view>

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == sheaf::sandbox::k_helper_argument) {
    return sheaf::sandbox::zygote_main();
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
