// SPDX-License-Identifier: Apache-2.0
#include "app/up.hpp"

#include "app/image_project.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/refresh_options.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <array>
#include <chrono>

namespace sheaf::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array k_options = {
    k_directory_option,      k_agents_option,       k_layers_option,       k_stack_option,  k_base_option,
    k_image_option,          k_pull_option,         k_jobs_option,         k_strict_option, k_locked_option,
    k_refresh_agents_option, k_full_rebuild_option, k_force_rebuild_option};
constexpr std::array<std::string_view, 4> k_up_examples = {
    "sheaf up", "sheaf up -- make test", "sheaf up --agents codex -- codex", "sheaf up --agents all,-opencode"};
constexpr std::array<std::string_view, 2> k_run_examples = {"sheaf run codex", "sheaf run codex -- codex --version"};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Result<app::Environment> ready(Invocation& invocation, const app::Choices& choices) {
  const auto start = Clock::now();
  SHEAF_TRY_ASSIGN(const auto root, app::project_root(choices.directory));
  const bool is_news_wanted = choices.pull || wants_refresh(invocation);
  auto saved =
      is_news_wanted ? std::nullopt : app::load_if_current(app::saved_path(invocation.store_root, root, choices));
  if (saved) {
    SHEAF_TRY(become_able(invocation, os::OwnMounts::no));
    saved->in_use->touch_all(); // an ordinary user may do so only from now on
    invocation.events->emit(
        {EventKind::note, "up", "nothing to do, ready in " + human_milliseconds(milliseconds_since(start))});
    return std::move(*saved);
  }
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  SHEAF_TRY(refresh_first(invocation, choices, session));
  SHEAF_TRY_ASSIGN(auto environment, app::make_ready(choices, session));
  invocation.events->emit({EventKind::note, "up", "ready in " + human_milliseconds(milliseconds_since(start))});
  return environment;
}

/// Does the ENTRYPOINT of an image come before the command?
enum class Entrypoint { counts, is_left_out };

Result<int> run_command(Invocation& invocation, const app::Choices& choices, std::vector<std::string> argv,
                        Entrypoint entrypoint = Entrypoint::counts) {
  SHEAF_TRY_ASSIGN(const auto environment, ready(invocation, choices));
  if (environment.stack.empty() && (argv.empty() || entrypoint == Entrypoint::counts)) { // of an image
    SHEAF_TRY_ASSIGN(argv, app::image_command(environment, argv));
  }
  Interrupts::leave_keyboard_to_command();
  SHEAF_TRY_ASSIGN(const auto status, app::run_in(environment, std::move(argv), invocation.store_root,
                                                  *invocation.events, invocation.stop()));
  return status.as_shell();
}

/// An image is run as it is.
Result<void> check_image_option(const Invocation& invocation) {
  for (const auto* option :
       {"agents", "layers", "stack", "base", "strict", "locked", "refresh-agents", "full-rebuild", "force-rebuild"}) {
    if (invocation.has("image") && invocation.has(option)) {
      return Error(ErrorCode::invalid, std::string("'--image' and '--") + option + "' exclude each other")
          .with_hint("an image is run as it is; layers are joined without --image");
    }
  }
  return {};
}

Result<int> up(Invocation& invocation) {
  SHEAF_TRY(check_image_option(invocation));
  return run_command(invocation, invocation.choices(), invocation.operands);
}

Result<int> run(Invocation& invocation) {
  SHEAF_TRY(check_image_option(invocation));
  auto choices = invocation.choices();
  auto argv = invocation.operands;
  if (argv.empty()) {
    return Error(ErrorCode::invalid, "no agent named")
        .with_hint("sheaf run AGENT [-- COMMAND…]; 'sheaf layer list' shows the agents");
  }
  const auto agent = argv.front();
  argv.erase(argv.begin());
  choices.agents = choices.agents ? *choices.agents + "," + agent : agent;
  if (argv.empty()) {
    SHEAF_TRY_ASSIGN(const auto project, app::load_project(choices));
    const auto* definition = project.catalogue.find(agent);
    argv = definition != nullptr ? definition->command : std::vector<std::string>();
  }
  return run_command(invocation, choices, std::move(argv), Entrypoint::is_left_out);
}

} // namespace

const Command k_up = {
    "up",
    "build what is missing, join it and run a command in the environment",
    "Detects what the project needs, builds each missing layer alone on what it needs, joins all of them and runs "
    "COMMAND (default: a shell) as user 'dev' with the project at /workspace. What the command writes outside of "
    "/workspace is discarded when it ends. With --image nothing is detected or built: the image is run as it says (its "
    "user, directory and ENTRYPOINT), with COMMAND in place of its CMD and the project at /workspace.",
    {"[-- COMMAND…]", 0, 1000},
    k_options,
    k_up_examples,
    up};

const Command k_run = {
    "run",
    "run an agent on the project",
    "As 'sheaf up --agents AGENT', with the agent's own command unless one is given. The agent's credentials "
    "(see 'sheaf layer show AGENT') are mounted from your home if they exist.",
    {"AGENT [-- COMMAND…]", 1, 1000},
    k_options,
    k_run_examples,
    run};

} // namespace sheaf::cli
