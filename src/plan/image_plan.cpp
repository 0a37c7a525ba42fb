// SPDX-License-Identifier: Apache-2.0
#include "plan/image_plan.hpp"

#include "plan/global_arguments.hpp"
#include "plan/stage_graph.hpp"
#include "plan/stage_planner.hpp"

#include <algorithm>

namespace sheaf::plan {
namespace {

namespace cf = containerfile;

class ImagePlanner {
public:
  ImagePlanner(const cf::File& file, const ImageRequest& request, const std::map<std::string, oci::Image>& images,
               StageGraph& graph, Diagnostics& diagnostics)
      : m_file(file), m_request(request), m_images(images), m_graph(graph), m_diagnostics(diagnostics) {}

  ImagePlan plan() {
    const auto needed = m_graph.needed();
    for (const auto number : needed) { // in the order of the file
      m_places[number] = m_plan.stages.size();
      m_plan.stages.push_back(plan_stage(number));
    }
    m_plan.target = m_plan.stages.size() - 1;
    finish_target(m_plan.stages.back());
    return std::move(m_plan);
  }

private:
  /// As in the plan: `Source::stage` counts its stages.
  std::optional<Source> placed(std::optional<Source> source) const {
    if (source && source->kind == Source::Kind::stage) {
      const auto place = m_places.find(source->stage);
      return place != m_places.end() ? std::optional(Source{Source::Kind::stage, {}, place->second}) : std::nullopt;
    }
    return source;
  }

  StagePlan plan_stage(std::size_t number) {
    const auto& node = m_graph.nodes()[number];
    StagePlan plan;
    plan.name = node.stage->from.alias ? node.stage->from.alias->text : std::to_string(number);
    plan.base = placed(node.base).value_or(Source());
    plan.platform = node.platform;
    plan.no_cache = m_request.no_cache || m_request.no_cache_filter.contains(plan.name);
    for (const auto need : node.needs) {
      plan.needs.push_back(m_places.at(need));
    }
    const StageSetting setting{m_graph.build_args(),
                               m_graph.globals(),
                               [this, number](const std::string& name, Span span, StageWords& words) {
                                 return placed(m_graph.source_of(name, span, number, words));
                               },
                               m_request.network,
                               m_request.allow_insecure,
                               m_request.allow_host_network};
    StagePlanner planner(m_file, setting, start_of(node), m_diagnostics);
    if (!node.replaced_by) {
      for (const auto& trigger : node.triggers) {
        planner.carry_out_trigger(trigger.instruction, trigger.source);
      }
      for (const auto& instruction : node.stage->instructions) {
        planner.carry_out(instruction);
      }
    }
    plan.steps = planner.steps();
    plan.image = planner.state().image;
    m_states.push_back(planner.state());
    return plan;
  }

  StageState start_of(const StageNode& node) {
    if (node.base.kind == Source::Kind::stage) {
      auto state = m_states[m_places.at(node.base.stage)];
      state.image.config.on_build.clear();
      return state;
    }
    StageState state;
    state.image.os = node.platform.os;
    state.image.architecture = node.platform.architecture;
    state.image.variant = node.platform.variant;
    if (node.base.kind == Source::Kind::image) {
      take_image(state, node);
    }
    if (!oci::variable(state.image.config, "PATH")) {
      oci::set_variable(state.image.config, "PATH", k_default_path);
    }
    state.variables = state.image.config.environment;
    return state;
  }

  void take_image(StageState& state, const StageNode& node) {
    const auto found = m_images.find(node.base.name);
    if (found == m_images.end()) {
      m_diagnostics.error(m_file.source, node.stage->from.image.span, "missing-image",
                          "nothing is known of image '" + node.base.name + "'");
      return;
    }
    state.image = found->second;
    if (!node.replaced_by) {
      state.image.config.on_build.clear(); // carried out in this stage
    }
  }

  /// The labels of the command line, and the platform if it was asked for.
  void finish_target(StagePlan& target) {
    for (const auto& [name, value] : m_request.labels) {
      target.image.config.labels[name] = value;
    }
    if (m_request.platform) {
      target.image.os = m_request.platform->os;
      target.image.architecture = m_request.platform->architecture;
      target.image.variant = m_request.platform->variant;
    }
  }

  const cf::File& m_file;
  const ImageRequest& m_request;
  const std::map<std::string, oci::Image>& m_images;
  StageGraph& m_graph;
  Diagnostics& m_diagnostics;
  /// Number in the file -> place in the plan.
  std::map<std::size_t, std::size_t> m_places;
  /// By place in the plan.
  std::vector<StageState> m_states;
  ImagePlan m_plan;
};

void add_image(const Source& source, std::set<std::string>& images) {
  if (source.kind == Source::Kind::image) {
    images.insert(source.name);
  }
}

void add_images(const Mount& mount, std::set<std::string>& images) {
  if (const auto* bind = std::get_if<BindMountSource>(&mount.what)) {
    add_image(bind->from, images);
  } else if (const auto* cache = std::get_if<CacheMount>(&mount.what)) {
    add_image(cache->from, images);
  }
}

} // namespace

std::set<std::string> images_of(const cf::File& file, const ImageRequest& request,
                                const std::map<std::string, oci::Image>& known, Diagnostics& diagnostics) {
  StageGraph graph(file, request, diagnostics);
  graph.add_triggers(known);
  std::set<std::string> images;
  for (const auto number : graph.needed()) {
    const auto& node = graph.nodes()[number];
    images.insert(node.images.begin(), node.images.end());
  }
  return images;
}

std::set<std::string> images_of(const ImagePlan& plan) {
  std::set<std::string> images;
  for (const auto& stage : plan.stages) {
    add_image(stage.base, images);
    for (const auto& step : stage.steps) {
      if (const auto* copy = std::get_if<CopyStep>(&step.action)) {
        add_image(copy->from, images);
      } else if (const auto* run = std::get_if<RunStep>(&step.action)) {
        for (const auto& mount : run->mounts) {
          add_images(mount, images);
        }
      }
    }
  }
  return images;
}

std::optional<ImagePlan> plan_image(const cf::File& file, const ImageRequest& request,
                                    const std::map<std::string, oci::Image>& images, Diagnostics& diagnostics) {
  // What is wrong with a name is found when the graph is made, and again by the step that uses it: say it once.
  Diagnostics found;
  StageGraph graph(file, request, found);
  graph.add_triggers(images);
  std::optional<ImagePlan> plan;
  if (graph.target()) {
    plan = ImagePlanner(file, request, images, graph, found).plan();
  }
  warn_of_unused(file, graph.build_args(), found);
  std::set<std::string> said;
  for (const auto& diagnostic : found.all()) {
    if (said.insert(render(diagnostic)).second) {
      diagnostics.add(diagnostic);
    }
  }
  return found.has_errors() ? std::nullopt : std::move(plan);
}

} // namespace sheaf::plan
