// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.hpp"

#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_options = {k_json_option};
constexpr std::array<std::string_view, 1> k_examples = {"sheaf doctor"};

std::string_view word(app::Health health) {
  switch (health) {
  case app::Health::good:
    return "good";
  case app::Health::limited:
    return "limited";
  case app::Health::bad:
    break;
  }
  return "bad";
}

Result<int> doctor(Invocation& invocation) {
  const auto checks = app::examine_machine(invocation.store_root);
  bool bad = false;
  auto json = nlohmann::json::array();
  std::string text;
  for (const auto& check : checks) {
    bad = bad || check.health == app::Health::bad;
    text += fmt::format("{:<8} {:<24} {}\n", word(check.health), check.name, check.found);
    text += check.advice.empty() ? "" : fmt::format("{:<8} {:<24} try: {}\n", "", "", check.advice);
    json.push_back({{"name", check.name},
                    {"health", word(check.health)},
                    {"found", check.found},
                    {"advice", check.advice.empty() ? nlohmann::json(nullptr) : nlohmann::json(check.advice)}});
  }
  text += bad ? "something that sheaf needs is missing\n" : "this machine can build and run layers\n";
  Invocation::print(
      invocation.json()
          ? nlohmann::json{{"checks", json}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
          : text);
  return bad ? 1 : 0;
}

} // namespace

const Command k_doctor = {
    "doctor",
    "check what this machine offers and say how to mend what is missing",
    "Checks kernel, user namespaces, sub-ids, tools, overlayfs in the store, disk and name resolution. Exits with 1 "
    "if something that sheaf needs is missing.",
    {"", 0, 0},
    k_options,
    k_examples,
    doctor};

} // namespace sheaf::cli
