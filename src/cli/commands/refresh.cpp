// SPDX-License-Identifier: Apache-2.0
#include "app/refresh.hpp"

#include "app/lock.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_directory_option, k_agents_option, k_layers_option,
                                  k_base_option,      k_jobs_option,   k_json_option};
constexpr std::array<std::string_view, 3> k_refresh_examples = {"sheaf refresh", "sheaf refresh codex",
                                                                "sheaf refresh base"};
constexpr std::array<std::string_view, 2> k_lock_examples = {"sheaf lock", "sheaf up --locked -- make test"};
constexpr std::array<std::string_view, 2> k_update_examples = {"sheaf update", "sheaf update codex"};

Result<int> refresh(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  SHEAF_TRY_ASSIGN(const auto refreshed, app::refresh(invocation.choices(), {invocation.operands, false}, session));
  std::string text;
  Json layers = Json::array();
  for (const auto& one : refreshed) {
    text += app::describe(one) + "\n";
    layers.push_back({{"name", one.layer},
                      {"before", one.old_version},
                      {"after", one.new_version},
                      {"rebuilt", one.is_rebuilt},
                      {"changed", one.is_changed}});
  }
  Invocation::print(invocation.json()
                        ? Json{{"layers", layers}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                    : refreshed.empty() ? "no layer of the stack is volatile; name the ones to build anew\n"
                                        : text);
  return 0;
}

void print(const Invocation& invocation, const app::LockChange& change) {
  if (invocation.json()) {
    Invocation::print(Json{{"created", !change.was_there}, {"differences", change.differences}}.dump(
                          2, ' ', false, nlohmann::json::error_handler_t::replace) +
                      "\n");
    return;
  }
  std::string text;
  // A new lock file differs from none in every package; that is no news.
  for (const auto& line : change.was_there ? change.differences : std::vector<std::string>()) {
    text += line + "\n";
  }
  text += !change.was_there            ? "wrote sheaf.lock\n"
          : change.differences.empty() ? "sheaf.lock is up to date\n"
                                       : "sheaf.lock is updated\n";
  Invocation::print(text);
}

Result<int> lock(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto change,
                   app::lock(invocation.choices(), {store, *invocation.events, invocation.stop(), jobs}));
  print(invocation, change);
  return 0;
}

Result<int> update(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto change, app::update(invocation.choices(), invocation.operands,
                                                  {store, *invocation.events, invocation.stop(), jobs}));
  print(invocation, change);
  return 0;
}

} // namespace

const Command k_refresh = {
    "refresh",
    "build layers anew that follow a moving upstream",
    "Asks for the newest version of each volatile layer of the stack, or of the layers named, and builds those of "
    "which "
    "there is a newer one; the layers below and beside them stay. A layer that cannot tell its newest version is built "
    "again. What came out is used from then on, by every project of this store, or, where the project has a "
    "sheaf.lock, "
    "written there.",
    {"[LAYER…]", 0, 1000},
    k_options,
    k_refresh_examples,
    refresh};

const Command k_lock = {
    "lock",
    "write down what the environment is made of",
    "Builds what is missing and writes sheaf.lock: recipe and content of every layer, versions that were settled, the "
    "digest of the base's image, packages with their versions, downloads with their digests. 'sheaf up' prefers what "
    "it "
    "says; with '--locked' it refuses anything else.",
    {"", 0, 0},
    k_options,
    k_lock_examples,
    lock};

const Command k_update = {
    "update",
    "build from what is the newest now, and show and lock the difference",
    "Builds all layers of the stack anew on a fresh base, or only the layers named, as 'sheaf refresh' does, writes "
    "sheaf.lock, and prints which layers and packages changed.",
    {"[LAYER…]", 0, 1000},
    k_options,
    k_update_examples,
    update};

} // namespace sheaf::cli
