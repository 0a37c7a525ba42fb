// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a registry's refusal means to us. Pure. Source: OCI distribution-spec 1.1, "Error Codes".

#include "base/error.hpp"
#include "net/request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::registry {

/// For an answer that is no success. `host` is the registry as people name it.
Error error_of(const net::Response& response, std::string_view host);
/// The codes and messages in the answer, on one line; empty if it is none of the specified form.
std::string messages_in(std::string_view body);
/// The address behind `<…>; rel="next"` of a Link header; nothing if there is none.
std::optional<std::string> next_page(std::string_view link);

} // namespace sheaf::registry
