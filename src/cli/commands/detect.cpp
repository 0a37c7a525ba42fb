// SPDX-License-Identifier: Apache-2.0
#include "app/project_plan.hpp"
#include "base/printable.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_options = {k_directory_option, k_json_option};
constexpr std::array<std::string_view, 2> k_examples = {"sheaf detect", "sheaf detect -C ~/src/app --json"};

nlohmann::json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(text);
}

nlohmann::json line_or_null(std::size_t line) { return line > 0 ? nlohmann::json(line) : nlohmann::json(nullptr); }

nlohmann::json as_json(const resolve::VersionChoice& choice) {
  const auto& followed = choice.asked.at(choice.followed);
  return {{"layer", choice.layer},
          {"version", followed.version},
          {"file", followed.file},
          {"line", line_or_null(followed.line)},
          {"argument", text_or_null(choice.argument.value_or(""))},
          {"brings", text_or_null(choice.brings)},
          {"warnings", choice.warnings}};
}

std::string as_json(const app::Detected& detected) {
  auto findings = nlohmann::json::array();
  for (const auto& finding : detected.detection.findings) {
    findings.push_back({{"layer", finding.layer},
                        {"file", finding.file},
                        {"line", line_or_null(finding.line)},
                        {"what", finding.what},
                        {"version", text_or_null(finding.version)}});
  }
  auto versions = nlohmann::json::array();
  for (const auto& choice : detected.versions) {
    versions.push_back(as_json(choice));
  }
  auto unread = nlohmann::json::array();
  for (const auto& file : detected.detection.unread) {
    unread.push_back({{"file", file.file}, {"why", file.why}});
  }
  return nlohmann::json{{"findings", findings}, {"versions", versions}, {"unread", unread}}.dump(
             2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

/// One line for each layer whose version a file asks for, then what is wrong with any.
std::string versions_as_text(const app::Detected& detected) {
  std::string text;
  for (const auto& choice : detected.versions) {
    const auto& followed = choice.asked.at(choice.followed);
    if (choice.argument) {
      text += fmt::format("{} is built with version {}, for {}\n", choice.layer, *choice.argument,
                          resolve::place(followed));
    } else if (choice.warnings.empty() && !choice.brings.empty()) {
      text +=
          fmt::format("{} brings {}, which will do for {}\n", choice.layer, choice.brings, resolve::place(followed));
    }
  }
  for (const auto& warning : app::version_warnings(detected.detection, detected.versions)) {
    text += fmt::format("warning: {}\n", warning);
  }
  return text.empty() ? "" : "\n" + text;
}

std::string as_text(const app::Detected& detected) {
  std::string text = "nothing detected: the environment is the base alone\n";
  if (!detected.detection.findings.empty()) {
    ui::Table table({"LAYER", "EVIDENCE", "VERSION"});
    for (const auto& finding : detected.detection.findings) {
      table.add({finding.layer, resolve::place(finding), finding.version.empty() ? "-" : finding.version});
    }
    text = table.to_string();
  }
  return printable(text + versions_as_text(detected), Colours::dropped);
}

Result<int> detect(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  SHEAF_TRY_ASSIGN(const auto detected, app::what_is_detected(project));
  Invocation::print(invocation.json() ? as_json(detected) : as_text(detected));
  return 0;
}

} // namespace

const Command k_detect = {
    "detect",
    "show which layers the project's files call for",
    "Looks at the files below the project's folder by the rules of the catalogue (see 'sheaf layer show') and prints "
    "every finding with its evidence, the versions that files ask for, and what becomes of them. What .gitignore "
    "names, folders of dependencies and hidden folders are skipped.",
    {"", 0, 0},
    k_options,
    k_examples,
    detect};

} // namespace sheaf::cli
