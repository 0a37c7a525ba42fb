// SPDX-License-Identifier: Apache-2.0
#include "app/image_project.hpp"
#include "app/stack_image.hpp"
#include "app/up.hpp"
#include "cli/commands/all.hpp"
#include "cli/commands/build_image.hpp"
#include "cli/refresh_options.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sheaf::cli {
namespace {

constexpr Option k_both_jobs_option = {
    "jobs", 'j', "N", "at the same time: stages (default: 2 per processor, at least 8), or layers (default: 4)"};
constexpr Option k_dev_option = {"dev", 0, "", "also build the image without agents, PROJECT:l2-dev"};
constexpr std::array k_project_options = {
    k_directory_option,    k_agents_option,        k_layers_option, k_stack_option,  k_base_option,
    k_dev_option,          k_both_jobs_option,     k_strict_option, k_locked_option, k_refresh_agents_option,
    k_full_rebuild_option, k_force_rebuild_option, k_json_option};

constexpr auto k_options = [] {
  std::array<Option, k_image_options.size() + k_project_options.size() + k_options_without_effect.size()> all{};
  auto images = std::ranges::copy(k_image_options, all.begin());
  auto projects = std::ranges::copy(k_project_options, images.out);
  std::ranges::copy(k_options_without_effect, projects.out);
  return all;
}();

constexpr std::array<std::string_view, 5> k_examples = {
    "sheaf build -t app .", "sheaf build -f docker/web.Dockerfile --target web --build-arg VERSION=2 -t web:2 .",
    "sheaf build -o out https://git.example.org/team/app.git#main", "sheaf build --check .", "sheaf build"};

void tell(const app::StackImage& image, EventSink& events) {
  events.emit({EventKind::note, "image", fmt::format("{}  {}", image.id.to_string().substr(0, 19), image.name)});
}

/// Prints what was built.
int finish(const Invocation& invocation, const app::Environment& environment, const app::StackImage& image,
           const nlohmann::json& shared) {
  if (!invocation.json()) {
    return 0;
  }
  auto layers = nlohmann::json::array();
  for (const auto& line : environment.stack) {
    layers.push_back(
        {{"name", line.name}, {"kind", line.kind}, {"content_key", line.content_key}, {"bytes", line.bytes}});
  }
  Invocation::print(
      nlohmann::json{{"layers", layers}, {"image", image.name}, {"id", image.id.to_string()}, {"agents_image", shared}}
          .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
      "\n");
  return 0;
}

/// The image that a developer without agents uses.
Result<void> build_without_agents(Invocation& invocation, const app::Session& session) {
  auto choices = invocation.choices();
  choices.agents = "none";
  SHEAF_TRY_ASSIGN(const auto environment, app::make_ready(choices, session));
  SHEAF_TRY_ASSIGN(const auto image, app::save_stack_image(environment, session.store));
  tell(image, *invocation.events);
  return {};
}

Result<int> build_project(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  if (project.config.image) {
    SHEAF_TRY_ASSIGN(const auto image, app::name_image(project, session));
    tell(image, *invocation.events);
    return finish(invocation, {}, image, nullptr);
  }
  SHEAF_TRY(refresh_first(invocation, invocation.choices(), session));
  SHEAF_TRY_ASSIGN(const auto environment, app::make_ready(invocation.choices(), session));
  nlohmann::json shared = nullptr;
  if (const auto level = invocation.value("stack")) {
    SHEAF_TRY_ASSIGN(const auto image, app::save_stack_image(environment, store, *level));
    tell(image, *invocation.events);
    return finish(invocation, environment, image, shared);
  }
  if (invocation.has("dev")) {
    SHEAF_TRY(build_without_agents(invocation, session));
  }
  if (const auto agents = app::agents_of(environment); !agents.empty()) {
    SHEAF_TRY_ASSIGN(const auto alone, app::make_agents_ready(invocation.choices(), agents, session));
    SHEAF_TRY_ASSIGN(const auto image, app::save_agents_image(alone, store));
    tell(image, *invocation.events);
    shared = image.name;
  }
  SHEAF_TRY_ASSIGN(const auto image, app::save_stack_image(environment, store));
  tell(image, *invocation.events);
  return finish(invocation, environment, image, shared);
}

Result<int> build(Invocation& invocation) {
  return is_image_build(invocation) ? build_image(invocation) : build_project(invocation);
}

} // namespace

const Command k_build = {
    "build",
    "build an image from a Dockerfile, or the project's layers",
    "With a CONTEXT (a directory, '-' or a URL) or any option of an image it does what 'docker build' does: carries "
    "out "
    "the Dockerfile and keeps the image in the store. Steps that were done before on the same content are not done "
    "again. Without any of them it builds and joins the layers of the project, as 'sheaf up' does before it runs "
    "something, and names the image of them PROJECT:l2-dev, or PROJECT:l2-cli if it has agents; the base alone is "
    "sheaf-l0:BASE, base and agents are sheaf-l1-cli:BASE-AGENT….",
    {"[CONTEXT]", 0, 1},
    k_options,
    k_examples,
    build};

} // namespace sheaf::cli
