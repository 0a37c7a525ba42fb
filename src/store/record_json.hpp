// SPDX-License-Identifier: Apache-2.0
#pragma once

// The JSON of records. Their numbers are whole ones.

#include <nlohmann/json.hpp>

#include <string_view>

namespace sheaf::store {

/// Throws nlohmann::json::exception for what is no JSON. A number with a fraction or an exponent becomes null, which no
/// field takes: the library would make an integer of it, whatever its size.
inline nlohmann::json parse_record_json(std::string_view text) {
  return nlohmann::json::parse(text, [](int, nlohmann::json::parse_event_t, nlohmann::json& value) {
    if (value.is_number_float()) {
      value = nullptr;
    }
    return true;
  });
}

} // namespace sheaf::store
