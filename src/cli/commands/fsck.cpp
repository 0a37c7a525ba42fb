// SPDX-License-Identifier: Apache-2.0
#include "app/store_repair.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {
    Option{"repair", 0, "", "put what is damaged aside, and fetch or make again what can be"},
    Option{"cache", 0, "PLACE", "fetch lost layers from here, besides the caches of the settings", true},
    k_directory_option,
    k_json_option,
};
constexpr std::array<std::string_view, 3> k_examples = {"sheaf fsck", "sheaf fsck --repair",
                                                        "sheaf fsck --repair --cache registry.example.org/team/layers"};

Json to_json(const app::StoreCheck& check) {
  Json problems = Json::array();
  for (const auto& problem : check.problems) {
    problems.push_back({{"part", problem.part},
                        {"subject", problem.subject},
                        {"what", problem.what},
                        {"used_by", problem.used_by},
                        {"done", problem.done},
                        {"mended", problem.is_mended}});
  }
  Json incomplete = Json::array();
  for (const auto& image : check.incomplete) {
    incomplete.push_back({{"part", image.part}, {"subject", image.subject}, {"lost_blobs", image.lost_blobs}});
  }
  return {{"problems", problems}, {"incomplete", incomplete}, {"checked", check.checked}};
}

std::string line_of(const app::StoreProblem& problem) {
  const auto images = problem.used_by.empty() ? "" : fmt::format(" (part of {})", joined(problem.used_by, ", "));
  const auto done = problem.done.empty() ? "" : fmt::format("; {}", problem.done);
  return fmt::format("{}: {}: {}{}{}\n", problem.part, problem.subject, problem.what, images, done);
}

std::string to_text(const app::StoreCheck& check) {
  std::string text;
  for (const auto& problem : check.problems) {
    text += line_of(problem);
  }
  for (const auto& image : check.incomplete) {
    text +=
        fmt::format("{}: {}: works, but {} of the blobs it came with {} gone: 'sheaf pull' or 'sheaf import' brings "
                    "them again\n",
                    image.part, image.subject, image.lost_blobs, image.lost_blobs == 1 ? "is" : "are");
  }
  std::vector<std::string> counts;
  for (const auto& [what, count] : check.checked) {
    counts.push_back(fmt::format("{} {}", count, what));
  }
  const auto mended = std::ranges::count(check.problems, true, &app::StoreProblem::is_mended);
  const auto looked_at = counts.empty() ? "the store is empty" : "checked " + joined(counts, ", ");
  if (check.problems.empty()) {
    return text + looked_at + ": all is well\n";
  }
  return text + fmt::format("{}: {} damaged, {} put aside or made again\n", looked_at, check.problems.size(), mended);
}

/// Those of the settings, if they can be read: a store can be mended from anywhere.
std::vector<std::string> caches_of(const Invocation& invocation) {
  auto caches = invocation.values("cache");
  const auto project = app::load_project(invocation.choices());
  if (!project) {
    invocation.events->emit(
        {EventKind::warning, "", "the caches of the settings are left out: " + project.error().summary()});
    return caches;
  }
  const auto more = project->config.caches.value_or(std::vector<std::string>());
  caches.insert(caches.end(), more.begin(), more.end());
  return caches;
}

Result<int> fsck(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop()};
  SHEAF_TRY_ASSIGN(auto check, app::check_store(session).context("checking the store"));
  Result<void> repaired;
  if (invocation.has("repair") && !check.problems.empty()) {
    repaired = app::repair_store(check, caches_of(invocation), session).context("repairing the store");
  }
  Invocation::print(invocation.json() ? to_json(check).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                                      : to_text(check));
  SHEAF_TRY(repaired);
  const bool is_whole = std::ranges::all_of(check.problems, &app::StoreProblem::is_mended);
  if (!is_whole) {
    invocation.events->emit({EventKind::warning, "", "'sheaf fsck --repair' puts aside what is damaged"});
  }
  return is_whole ? 0 : 1;
}

} // namespace

const Command k_fsck = {
    "fsck",
    "check every digest of the store",
    "Reads everything that is stored and compares it with its digest: layers with their inventories, join layers with "
    "their seals, steps, unpacked layers and blobs with their names, and whether records, names and index agree. Ends "
    "with 1 if something is damaged. With --repair what is damaged is moved to the store's folder 'quarantine'; layers "
    "are fetched from a cache that has them, else built again when they are needed.",
    {"", 0, 0},
    k_options,
    k_examples,
    fsck};

} // namespace sheaf::cli
