// SPDX-License-Identifier: Apache-2.0
#pragma once

// The way in which Go prints lists and durations: the history of an image reads as if BuildKit had written it.

#include "oci/image_config.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sheaf::plan {

/// ["a" "b"]
std::string quoted_list(const std::vector<std::string>& words);
/// [a b]
std::string plain_list(const std::vector<std::string>& words);
/// 1500000000 is "1.5s".
std::string duration_text(std::int64_t nanoseconds);
/// {Test:[CMD-SHELL x] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}
std::string healthcheck_text(const oci::Healthcheck& check);

} // namespace sheaf::plan
