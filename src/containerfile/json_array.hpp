// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads the JSON form of arguments, `["a", "b"]`, with the position of every string and of the first mistake.

#include "containerfile/scan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::containerfile {

enum class ArrayForm {
  absent,      ///< plain text
  array,       ///< an array of strings
  broken,      ///< meant as JSON by the look of it, but not JSON; Docker takes it as plain text
  not_strings, ///< JSON, but with an element that is no string; Docker refuses it
};

struct JsonString {
  std::string text;
  /// With the quotes.
  Range range;
};

struct JsonArray {
  ArrayForm form = ArrayForm::absent;
  /// Complete only for `array`.
  std::vector<JsonString> items;
  /// What is wrong, and where, for `broken` and `not_strings`.
  std::string problem;
  Range where;
};

/// Reads `within` of `text`.
JsonArray read_json_array(std::string_view text, Range within);

} // namespace sheaf::containerfile
