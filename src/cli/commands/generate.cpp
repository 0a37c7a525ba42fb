// SPDX-License-Identifier: Apache-2.0
#include "app/build_stack.hpp"
#include "app/generate_files.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_options = {Option{"output", 'o', "DIR", "where to write (default: .sheaf/build of the project)"},
                                  k_directory_option,
                                  k_agents_option,
                                  k_layers_option,
                                  k_stack_option,
                                  k_base_option,
                                  k_json_option};
constexpr std::array<std::string_view, 2> k_examples = {"sheaf generate", "sheaf generate -o docker --agents codex"};

Result<int> generate(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop()};
  SHEAF_TRY_ASSIGN(const auto made,
                   app::generate(invocation.choices(), invocation.value("output").value_or(""), session));
  if (invocation.json()) {
    Invocation::print(nlohmann::json{{"directory", made.directory}, {"files", made.files}}.dump(
                          2, ' ', false, nlohmann::json::error_handler_t::replace) +
                      "\n");
    return 0;
  }
  for (const auto& file : made.files) {
    Invocation::print(fmt::format("{}/{}\n", made.directory, file));
  }
  return 0;
}

} // namespace

const Command k_generate = {
    "generate",
    "write Dockerfiles that other builders make the environment of",
    "Writes L0.Dockerfile (the base), L1.cli.Dockerfile (toolchains, tools and agents), L2.Dockerfile (the project) "
    "and "
    "the files that they copy into a folder of their own. Each takes the image below it as build argument BASE_IMAGE; "
    "docker, podman and buildah build them as they are. The folder is replaced as a whole, unless something in it is "
    "not of an earlier run.",
    {"", 0, 0},
    k_options,
    k_examples,
    generate};

} // namespace sheaf::cli
