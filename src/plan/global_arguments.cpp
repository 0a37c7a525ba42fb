// SPDX-License-Identifier: Apache-2.0
#include "plan/global_arguments.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sheaf::plan {
namespace {

namespace cf = containerfile;

Variables platform_arguments(const Platform& target, const std::string& target_stage) {
  const auto build = native_platform();
  Variables variables;
  for (const auto& [prefix, platform] : {std::pair("BUILD", &build), std::pair("TARGET", &target)}) {
    variables.emplace_back(fmt::format("{}PLATFORM", prefix), platform->to_string());
    variables.emplace_back(fmt::format("{}OS", prefix), platform->os);
    variables.emplace_back(fmt::format("{}ARCH", prefix), platform->architecture);
    variables.emplace_back(fmt::format("{}VARIANT", prefix), platform->variant);
  }
  variables.emplace_back("TARGETSTAGE", target_stage.empty() ? "default" : target_stage);
  return variables;
}

/// Arguments that are taken note of without an ARG.
bool means_something(const std::string& name) {
  return is_proxy_argument(name) || name.starts_with("BUILDKIT_") || name == "SOURCE_DATE_EPOCH";
}

} // namespace

Variables global_arguments(const cf::File& file, const BuildArguments& build_args, const Platform& target,
                           const std::string& target_stage, Diagnostics& diagnostics) {
  auto variables = platform_arguments(target, target_stage);
  for (auto& [name, value] : variables) {
    if (const auto given = build_args.find(name); given != build_args.end()) {
      value = given->second;
    }
  }
  StageWords words(file.source, file.escape, std::move(variables), diagnostics);
  for (const auto& arg : file.global_arguments) {
    if (const auto given = build_args.find(arg.name.text); given != build_args.end()) {
      words.set(arg.name.text, given->second);
    } else if (arg.default_value) {
      words.set(arg.name.text, words.expand(*arg.default_value));
    }
  }
  return words.variables();
}

void warn_of_unused(const cf::File& file, const BuildArguments& build_args, Diagnostics& diagnostics) {
  std::set<std::string> declared;
  for (const auto& arg : file.global_arguments) {
    declared.insert(arg.name.text);
  }
  for (const auto& stage : file.stages) {
    for (const auto& instruction : stage.instructions) {
      if (const auto* arg = std::get_if<cf::Arg>(&instruction)) {
        declared.insert(arg->name.text);
      }
    }
  }
  const auto platform = platform_arguments(native_platform(), {});
  std::vector<std::string> unused;
  for (const auto& [name, value] : build_args) {
    if (!declared.contains(name) && !means_something(name) && !find_variable(platform, name)) {
      unused.push_back(name);
    }
  }
  if (!unused.empty()) {
    diagnostics.warning(nullptr, {}, "unused-build-arg",
                        fmt::format("one or more build-args were not consumed: {}", joined(unused, ", ")),
                        "declare them with ARG in the stage that uses them");
  }
}

} // namespace sheaf::plan
