// SPDX-License-Identifier: Apache-2.0
#include "app/up.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_options = {k_directory_option, k_agents_option, k_layers_option, k_base_option,
                                  k_jobs_option,      k_strict_option, k_json_option};
constexpr std::array<std::string_view, 2> k_examples = {"sheaf build", "sheaf build --agents all -j 2"};

Result<int> build(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto environment,
                   app::make_ready(invocation.choices(), {store, *invocation.events, invocation.stop(), jobs}));
  if (!invocation.json()) {
    return 0;
  }
  auto layers = nlohmann::json::array();
  for (const auto& line : environment.stack) {
    layers.push_back(
        {{"name", line.name}, {"kind", line.kind}, {"content_key", line.content_key}, {"bytes", line.bytes}});
  }
  Invocation::print(nlohmann::json{{"layers", layers}}.dump(2) + "\n");
  return 0;
}

} // namespace

const Command k_build = {"build",
                         "build the project's layers and join them, without running anything",
                         "Does what 'sheaf up' does before it runs the command.",
                         {"", 0, 0},
                         k_options,
                         k_examples,
                         build};

} // namespace sheaf::cli
