// SPDX-License-Identifier: Apache-2.0
#include "containerfile/truth.hpp"

#include <algorithm>
#include <array>

namespace sheaf::containerfile {

std::optional<bool> parse_truth(std::string_view text) {
  constexpr std::array<std::string_view, 6> k_true = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> k_false = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::find(k_true.begin(), k_true.end(), text) != k_true.end()) {
    return true;
  }
  return std::find(k_false.begin(), k_false.end(), text) != k_false.end() ? std::optional(false) : std::nullopt;
}

} // namespace sheaf::containerfile
