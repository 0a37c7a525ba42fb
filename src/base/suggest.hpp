// SPDX-License-Identifier: Apache-2.0
#pragma once

// "did you mean": the one place that compares names by edit distance.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sheaf {

/// Damerau-Levenshtein distance (optimal string alignment), case-insensitive, in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, if it is near enough to be a slip of the finger.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

/// "did you mean 'x'?", or empty if nothing is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

} // namespace sheaf
