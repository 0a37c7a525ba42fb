// SPDX-License-Identifier: Apache-2.0
#include "app/project_plan.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "ui/table.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_options = {k_directory_option, k_json_option};
constexpr std::array<std::string_view, 2> k_examples = {"sheaf detect", "sheaf detect -C ~/src/app --json"};

std::string place(const detect::Finding& finding) {
  return finding.line > 0 ? finding.file + ":" + std::to_string(finding.line) : finding.file;
}

std::string as_json(const detect::Detection& detection) {
  auto findings = nlohmann::json::array();
  for (const auto& finding : detection.findings) {
    findings.push_back({{"layer", finding.layer},
                        {"file", finding.file},
                        {"line", finding.line > 0 ? nlohmann::json(finding.line) : nlohmann::json(nullptr)},
                        {"what", finding.what}});
  }
  return nlohmann::json{{"findings", findings}}.dump(2) + "\n";
}

Result<int> detect(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  SHEAF_TRY_ASSIGN(const auto detection, app::detect_project(project));
  if (invocation.json()) {
    Invocation::print(as_json(detection));
    return 0;
  }
  if (detection.findings.empty()) {
    Invocation::print("nothing detected: the environment is the base alone\n");
    return 0;
  }
  ui::Table table({"LAYER", "EVIDENCE"});
  for (const auto& finding : detection.findings) {
    table.add({finding.layer, place(finding)});
  }
  Invocation::print(table.to_string());
  return 0;
}

} // namespace

const Command k_detect = {
    "detect",
    "show which layers the project's files call for",
    "Looks at file names below the project's folder by the rules of the catalogue (see 'sheaf layer show') and "
    "prints every finding with its evidence. Folders of dependencies and hidden folders are skipped.",
    {"", 0, 0},
    k_options,
    k_examples,
    detect};

} // namespace sheaf::cli
