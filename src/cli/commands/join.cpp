// SPDX-License-Identifier: Apache-2.0
#include "app/explain_join.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <map>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;
using layer::OverlapClass;

constexpr Option k_explain_option = {"explain", 0, "", "print every overlap of the layers and its class"};
constexpr std::array k_options = {k_explain_option, k_directory_option, k_agents_option, k_layers_option,
                                  k_base_option,    k_jobs_option,      k_strict_option, k_json_option};
constexpr std::array<std::string_view, 3> k_examples = {"sheaf join", "sheaf join --explain python node codex",
                                                        "sheaf join --strict --json python node"};
constexpr std::array k_classes = {OverlapClass::conflict,   OverlapClass::merged,    OverlapClass::replaced,
                                  OverlapClass::sequential, OverlapClass::directory, OverlapClass::identical};

std::map<OverlapClass, std::size_t> count(const std::vector<layer::Overlap>& overlaps) {
  std::map<OverlapClass, std::size_t> counts;
  for (const auto& overlap : overlaps) {
    ++counts[overlap.kind];
  }
  return counts;
}

std::string record_counts(const builder::RecordOverlap& overlap) {
  std::vector<std::string> parts;
  for (const auto& [layer, changes] : overlap.changes) {
    parts.push_back(fmt::format("{} {}", layer, changes));
  }
  return joined(parts, ", ");
}

std::string overlap_lines(const std::vector<layer::Overlap>& overlaps) {
  if (overlaps.empty()) {
    return "no path is in more than one layer\n";
  }
  ui::Table table({"CLASS", "PATH", "LAYERS"});
  for (const auto kind : k_classes) {
    for (const auto& overlap : overlaps) {
      if (overlap.kind == kind) {
        table.add({std::string(to_string(kind)), overlap.path, joined(overlap.layers, ", ")});
      }
    }
  }
  return table.to_string();
}

std::string record_lines(const std::vector<builder::RecordOverlap>& records) {
  if (records.empty()) {
    return "no layer changes shared state\n";
  }
  ui::Table table({"MERGED BY", "FILE", "RECORDS CHANGED"});
  for (const auto& overlap : records) {
    table.add({overlap.driver, overlap.file, record_counts(overlap)});
  }
  return table.to_string();
}

std::string summary(const app::JoinExplanation& explanation) {
  std::vector<std::string> parts;
  const auto counts = count(explanation.findings.overlaps);
  for (const auto kind : k_classes) {
    if (const auto found = counts.find(kind); found != counts.end()) {
      parts.push_back(fmt::format("{} {}", found->second, to_string(kind)));
    }
  }
  const auto conflicts = explanation.findings.conflicts.size();
  return fmt::format("{} layers, {} paths in more than one: {}\n{}\n", explanation.layers.size(),
                     explanation.findings.overlaps.size(), parts.empty() ? "-" : joined(parts, ", "),
                     conflicts == 0 ? "no conflicts" : fmt::format("{} conflicts", conflicts));
}

std::string as_text(const app::JoinExplanation& explanation) {
  auto text = record_lines(explanation.findings.records) + "\n" + overlap_lines(explanation.findings.overlaps) + "\n";
  for (const auto& conflict : explanation.findings.conflicts) {
    text += fmt::format("conflict: {}\n", conflict.message);
    for (const auto& remedy : conflict.remedies) {
      text += fmt::format("  remedy: {}\n", remedy);
    }
  }
  return text + summary(explanation);
}

Json as_json(const app::JoinExplanation& explanation) {
  Json overlaps = Json::array();
  for (const auto& overlap : explanation.findings.overlaps) {
    overlaps.push_back({{"path", overlap.path}, {"class", to_string(overlap.kind)}, {"layers", overlap.layers}});
  }
  Json records = Json::array();
  for (const auto& overlap : explanation.findings.records) {
    records.push_back({{"file", overlap.file}, {"driver", overlap.driver}, {"changes", overlap.changes}});
  }
  Json conflicts = Json::array();
  for (const auto& conflict : explanation.findings.conflicts) {
    conflicts.push_back({{"first", conflict.first.empty() ? Json(nullptr) : Json(conflict.first)},
                         {"second", conflict.second},
                         {"subject", conflict.subject},
                         {"message", conflict.message},
                         {"remedies", conflict.remedies}});
  }
  return {{"overlaps", overlaps}, {"records", records}, {"conflicts", conflicts}};
}

Result<int> explain(Invocation& invocation, const app::Wanted& wanted, const app::Session& session) {
  SHEAF_TRY_ASSIGN(const auto explanation, app::explain_join(wanted, session));
  Invocation::print(invocation.json()
                        ? as_json(explanation).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                        : as_text(explanation));
  if (invocation.has("strict") && !explanation.findings.conflicts.empty()) {
    return conflict_error(explanation.findings.conflicts);
  }
  return 0;
}

Result<int> join(Invocation& invocation) {
  const auto choices = invocation.choices();
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(choices));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  SHEAF_TRY_ASSIGN(const auto wanted, invocation.operands.empty()
                                          ? app::want(project, session)
                                          : app::want_layers(project, invocation.operands, session));
  if (invocation.has("explain")) {
    return explain(invocation, wanted, session);
  }
  SHEAF_TRY_ASSIGN(
      const auto stack,
      app::build_stack(project, wanted, session, choices.strict ? app::OnConflict::refuse : app::OnConflict::rebuild));
  const auto& composition = stack.composition;
  if (invocation.json()) {
    Invocation::print(Json{{"join", composition.join.empty() ? Json(nullptr) : Json(composition.join)},
                           {"reused", composition.reused},
                           {"lowers", composition.lowers}}
                          .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
                      "\n");
    return 0;
  }
  for (const auto& lower : composition.lowers) {
    Invocation::print(lower + "\n");
  }
  return 0;
}

} // namespace

const Command k_join = {
    "join",
    "join layers, and explain how they go together",
    "Builds what is missing of the named LAYERs and what they need (default: the project's selection), joins them, and "
    "prints the directories of the joined root, bottom first. With --explain it prints instead, for each layer built "
    "alone, which records of shared state it changed, and for every path in more than one layer its class: identical, "
    "directory metadata, built on top, declared replacement, merged state or conflict.",
    {"[LAYER…]", 0, 1000},
    k_options,
    k_examples,
    join};

} // namespace sheaf::cli
