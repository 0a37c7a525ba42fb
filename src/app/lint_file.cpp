// SPDX-License-Identifier: Apache-2.0
#include "app/lint_file.hpp"

#include "base/text.hpp"
#include "containerfile/lint.hpp"
#include "plan/stage_graph.hpp"

#include "context/ignore_patterns.hpp"

namespace sheaf::app {
namespace {

constexpr const char* k_check_argument = "BUILDKIT_DOCKERFILE_CHECK";

std::optional<containerfile::CheckDirective> check_argument(const plan::ImageRequest& request,
                                                            Diagnostics& diagnostics) {
  const auto given = request.build_args.find(k_check_argument);
  if (given == request.build_args.end() || !given->second) {
    return std::nullopt;
  }
  const auto source =
      std::make_shared<const SourceText>(std::string("--build-arg ") + k_check_argument, *given->second);
  return containerfile::parse_check(source, {*given->second, {0, given->second->size()}}, diagnostics);
}

/// Nothing if the file has an exception: then a path alone does not tell whether it is left out.
std::function<bool(std::string_view)> exclusion(const BuildContext& context, Diagnostics& diagnostics) {
  if (!context.folder || context.folder->ignore.empty()) {
    return {};
  }
  for (const auto line : split(context.folder->ignore, '\n')) {
    if (trim(line).starts_with('!')) {
      return {};
    }
  }
  const auto source = std::make_shared<const SourceText>(context.ignore_name, context.folder->ignore);
  return [patterns = context::IgnorePatterns::parse(source, diagnostics)](std::string_view path) {
    return patterns.excludes(path);
  };
}

} // namespace

void lint_file(const containerfile::File& file, const plan::ImageRequest& request, const BuildContext& context,
               const std::map<std::string, oci::Image>& images, Diagnostics& diagnostics) {
  Diagnostics reported_elsewhere;
  const plan::StageGraph graph(file, request, reported_elsewhere);
  containerfile::LintSettings settings;
  settings.check = check_argument(request, diagnostics);
  settings.is_excluded = exclusion(context, diagnostics);
  settings.base_variables = [&](std::size_t stage) -> std::optional<std::set<std::string>> {
    if (stage >= graph.nodes().size()) {
      return std::nullopt;
    }
    const auto known = images.find(graph.nodes()[stage].base.name);
    if (graph.nodes()[stage].base.kind != plan::Source::Kind::image || known == images.end()) {
      return std::nullopt;
    }
    std::set<std::string> names;
    for (const auto& [name, value] : known->second.config.environment) {
      names.insert(name);
    }
    return names;
  };
  for (const auto& [name, value] : request.build_args) {
    if (value) {
      settings.build_arguments.emplace(name, *value);
    }
  }
  containerfile::lint(file, settings, diagnostics);
}

} // namespace sheaf::app
