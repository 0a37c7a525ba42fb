// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_options = {k_json_option};
constexpr std::array<std::string_view, 1> k_examples = {"sheaf version"};

Result<int> version(Invocation& invocation) {
  if (invocation.json()) {
    Invocation::print(
        nlohmann::json{{"version", SHEAF_VERSION}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
        "\n");
  } else {
    Invocation::print("sheaf " SHEAF_VERSION "\n");
  }
  return 0;
}

} // namespace

const Command k_version = {"version", "print the version", "", {"", 0, 0}, k_options, k_examples, version};

} // namespace sheaf::cli
