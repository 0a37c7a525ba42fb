// SPDX-License-Identifier: Apache-2.0
#include "plan/layer_plan.hpp"

#include "base/text.hpp"
#include "containerfile/file.hpp"
#include "plan/download_arguments.hpp"
#include "plan/global_arguments.hpp"
#include "plan/layer_files.hpp"
#include "plan/layer_key.hpp"
#include "plan/remote_source.hpp"
#include "plan/stage_planner.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {
namespace {

namespace cf = containerfile;

/// The name that stands for "what this layer is built on" in the FROM of a layer's Containerfile.
constexpr std::string_view k_base_image = "BASE_IMAGE";

/// What a layer starts from, in the words of an image.
StageState start_of(const ConfigDelta& parent) {
  StageState state;
  auto& config = state.image.config;
  config.environment.assign(parent.environment.begin(), parent.environment.end());
  config.user = parent.user;
  config.directory = parent.directory;
  config.shell = parent.shell;
  state.variables = config.environment;
  return state;
}

StageState start_of(const BaseImage& image) {
  StageState state;
  state.image.config = image.config;
  state.image.config.on_build.clear();
  if (!oci::variable(image.config, "PATH")) {
    oci::set_variable(state.image.config, "PATH", k_default_path);
  }
  state.variables = state.image.config.environment;
  return state;
}

/// All of it, as what a base made of an image hands on.
ConfigDelta delta_of(const oci::ImageConfig& config) {
  ConfigDelta delta;
  delta.environment.insert(config.environment.begin(), config.environment.end());
  delta.labels = config.labels;
  delta.user = config.user;
  delta.directory = config.directory;
  delta.shell = config.shell;
  delta.command = config.command.value_or(std::vector<std::string>());
  delta.entrypoint = config.entrypoint.value_or(std::vector<std::string>());
  return delta;
}

/// Why an instruction has no place in a layer; empty if it has one.
struct Refusal {
  std::string message;
  std::string hint;
};

/// Turns the instructions of one layer into steps and a change of the configuration. Images have more to say than
/// layers: what a layer cannot keep, or cannot repeat, is refused.
class LayerPlanner {
public:
  LayerPlanner(const catalogue::LayerDefinition& definition, const cf::File& file, StageState start,
               const BuildArguments& args, const Foundation& foundation, Diagnostics& diagnostics)
      : m_definition(definition),
        m_file(file),
        m_diagnostics(diagnostics),
        m_globals(global_arguments(file, args, native_platform(), {}, diagnostics)),
        m_setting{
            args, m_globals,
            [](const std::string& name, Span span, StageWords& words) { return refuse_source(name, span, words); }},
        m_foundation(foundation),
        m_planner(file, m_setting, std::move(start), diagnostics) {
    m_setting.not_allowed_hint = "a layer is built without the right '{}': leave the flag out";
  }

  void run(LayerPlan& plan) {
    check_from();
    for (const auto& [name, value] : m_definition.env) {
      m_planner.set_environment(name, value);
    }
    for (const auto& instruction : m_file.stages.front().instructions) {
      carry_out(instruction);
    }
    plan.steps = m_planner.steps();
    plan.config = delta();
  }

private:
  void error(Span span, std::string rule, std::string message, std::string hint = {}) {
    m_diagnostics.error(m_file.source, span, std::move(rule), std::move(message), std::move(hint));
  }

  static std::optional<Source> refuse_source(const std::string& name, Span span, StageWords& words) {
    words.error(span, "layer-source", fmt::format("a layer cannot take files from '{}'", name),
                "make what is needed a layer and list it under 'needs'");
    return std::nullopt;
  }

  void check_from() {
    if (m_file.stages.size() > 1) {
      error(m_file.stages[1].from.origin.span, "one-stage", "the Containerfile of a layer has one stage",
            "make the other stage a layer of its own and list it under 'needs'");
    }
    const auto& from = m_file.stages.front().from;
    const auto& image = from.image.text;
    if (from.platform || from.alias) {
      error(from.origin.span, "layer-from", "the FROM of a layer takes no platform and no name",
            "write 'FROM ${BASE_IMAGE}'");
    }
    const bool is_open = image == "${BASE_IMAGE}" || image == "$BASE_IMAGE";
    if (m_definition.kind != catalogue::Kind::base && !is_open) {
      error(from.image.span, "layer-from", fmt::format("a layer is built on what it needs, not on '{}'", image),
            "write 'ARG BASE_IMAGE' and 'FROM ${BASE_IMAGE}'");
    }
    const bool is_put_on = m_foundation.image && m_foundation.named_by == Foundation::NamedBy::settings;
    if (m_definition.kind == catalogue::Kind::base && is_put_on && !is_open) {
      error(from.image.span, "layer-from",
            fmt::format("the base is '{}', but the layer '{}' is made from '{}'", m_foundation.image->name,
                        m_definition.name, image),
            "write 'FROM ${BASE_IMAGE}' here, or give the layer another name than that of the built-in one");
    }
  }

  static std::optional<Refusal> refusal(const cf::Instruction& instruction) {
    if (std::holds_alternative<cf::Onbuild>(instruction)) {
      return Refusal{"a layer has no ONBUILD: nothing is built from it with FROM",
                     "write the instruction into the layer that is to carry it out"};
    }
    if (std::holds_alternative<cf::Maintainer>(instruction)) {
      return Refusal{"a layer has no MAINTAINER", "write 'LABEL org.opencontainers.image.authors=NAME'"};
    }
    const bool of_image =
        std::holds_alternative<cf::Volume>(instruction) || std::holds_alternative<cf::Expose>(instruction) ||
        std::holds_alternative<cf::StopSignal>(instruction) || std::holds_alternative<cf::Healthcheck>(instruction);
    if (of_image) {
      return Refusal{"this instruction is about images; a layer has no place to keep it",
                     "write it into the Containerfile of the image, for 'sheaf build -t'"};
    }
    return std::nullopt;
  }

  void carry_out(const cf::Instruction& instruction) {
    if (const auto no = refusal(instruction)) {
      error(cf::origin_of(instruction).span, "unsupported-instruction", no->message, no->hint);
      return;
    }
    if (const auto* arg = std::get_if<cf::Arg>(&instruction); arg != nullptr && arg->name.text == k_base_image) {
      return;
    }
    m_planner.carry_out(instruction);
    if (const auto* copy = std::get_if<cf::Copy>(&instruction)) {
      check_sources(copy->sources);
    } else if (const auto* add = std::get_if<cf::Add>(&instruction)) {
      check_sources(add->sources);
    } else if (const auto* fetch = std::get_if<cf::Fetch>(&instruction)) {
      check_sources({fetch->source});
    }
  }

  /// The step that was made last has the sources in the order of `words`.
  void check_sources(const std::vector<cf::Word>& words) {
    const auto* step = std::get_if<CopyStep>(&m_planner.steps().back().action);
    for (std::size_t i = 0; step != nullptr && i < words.size() && i < step->sources.size(); ++i) {
      std::visit([&](const auto& source) { check_source(source, words[i]); }, step->sources[i]);
    }
  }

  void check_source(const PathSource& source, const cf::Word& word) {
    const auto named = [&](const auto& file) { return names_file(source.path, file.first); };
    if (source.path != "." && std::ranges::none_of(m_definition.files, named)) {
      const bool is_project = m_definition.kind == catalogue::Kind::project;
      error(word.span, "missing-file",
            fmt::format("the {} has no '{}'", is_project ? "project" : "layer's folder", source.path),
            is_project ? "paths are relative to the project's folder; what an ignore file leaves out is not there"
                       : "");
    }
  }
  void check_source(const InlineSource& /*source*/, const cf::Word& /*word*/) {}
  /// What an address says ends in logs, records and lock files.
  void check_address(const std::string& url, const cf::Word& word) {
    const auto scheme = url.find("://");
    const auto user =
        scheme == std::string::npos ? std::string() : url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    if (const auto at = user.rfind('@'); at != std::string::npos && user.find(':') < at) {
      error(word.span, "secret-in-address", "the address has a password in it, which would be kept with the layer",
            "leave it out; git asks its credential helper, or an ssh agent");
    }
  }
  void check_source(const HttpSource& source, const cf::Word& word) {
    check_address(source.url, word);
    if (source.checksum.empty()) {
      error(word.span, "missing-checksum", fmt::format("what is at '{}' may change, and a layer may not", source.url),
            "add '--checksum=sha256:DIGEST'");
    }
  }
  void check_source(const GitSource& source, const cf::Word& word) {
    check_address(source.url, word);
    if (source.checksum.empty() && !(source.ref.size() >= 40 && is_commit(source.ref))) {
      error(word.span, "missing-checksum", fmt::format("what is at '{}' may change, and a layer may not", source.url),
            "name the commit: '#COMMIT' behind the address, or '--checksum=COMMIT'");
    }
  }

  /// Who starts what and where is the base's and the project's word. USER, WORKDIR, CMD, ENTRYPOINT and SHELL of any
  /// other layer are for its own build: which layers are joined must not change how the environment starts.
  ConfigDelta delta() const {
    const auto& config = m_planner.state().image.config;
    const auto& said = m_planner.said();
    if (m_definition.kind == catalogue::Kind::base && m_foundation.image) {
      auto whole = delta_of(config);
      whole.command = config.command.value_or(m_definition.command);
      return whole;
    }
    ConfigDelta delta;
    for (const auto& name : said.variables) {
      delta.environment[name] = oci::variable(config, name).value_or("");
    }
    for (const auto& name : said.labels) {
      delta.labels[name] = config.labels.at(name);
    }
    if (m_definition.kind != catalogue::Kind::base && m_definition.kind != catalogue::Kind::project) {
      return delta;
    }
    delta.user = said.user ? config.user : "";
    delta.directory = said.directory ? config.directory : "";
    delta.shell = said.shell ? config.shell : std::vector<std::string>();
    delta.command = config.command.value_or(m_definition.command);
    delta.entrypoint = config.entrypoint.value_or(std::vector<std::string>());
    return delta;
  }

  const catalogue::LayerDefinition& m_definition;
  const cf::File& m_file;
  Diagnostics& m_diagnostics;
  Variables m_globals;
  StageSetting m_setting;
  const Foundation& m_foundation;
  StagePlanner m_planner;
};

/// All of a plan but what its instructions say.
LayerPlan frame_of(const resolve::StackEntry& entry, const resolve::Stack& stack, const Foundation& foundation) {
  const auto& definition = *entry.layer;
  LayerPlan plan;
  plan.name = definition.name;
  plan.kind = std::string(catalogue::to_string(definition.kind));
  plan.reason = entry.reason;
  plan.replaces = definition.replaces;
  plan.files = definition.files;
  plan.capture = definition.capture;
  if (definition.kind != catalogue::Kind::base) {
    plan.closure = resolve::closure_of(stack, entry);
  } else if (foundation.image) {
    plan.image = foundation.image;
  } else {
    plan.bootstrap = definition.bootstrap;
  }
  return plan;
}

void plan_instructions(LayerPlan& plan, const resolve::StackEntry& entry, const ArgValues& args, StageState start,
                       const Foundation& foundation, Diagnostics& diagnostics) {
  const auto source = containerfile_of(*entry.layer, foundation.family);
  const auto file = source ? containerfile::parse(source, diagnostics) : std::nullopt;
  if (file) {
    auto chosen = build_args(*entry.layer, args);
    for (auto& [name, value] :
         download_arguments(*entry.layer, chosen, native_platform().architecture, *file, diagnostics)) {
      chosen.insert_or_assign(name, std::move(value));
    }
    plan.arguments.insert(chosen.begin(), chosen.end());
    LayerPlanner(*entry.layer, *file, std::move(start), chosen, foundation, diagnostics).run(plan);
  }
}

} // namespace

std::vector<LayerPlan> plan_layers(const resolve::Stack& stack, const ArgValues& args, const Foundation& foundation,
                                   Diagnostics& diagnostics) {
  std::vector<LayerPlan> plans;
  std::map<std::string, std::size_t> place;
  for (const auto& entry : stack.entries) {
    check_family(entry, stack, foundation, diagnostics);
    auto plan = frame_of(entry, stack, foundation);
    std::vector<const ConfigDelta*> below;
    for (const auto& name : plan.closure) {
      below.push_back(&plans[place.at(name)].config);
    }
    if (plan.image && is_plain(*entry.layer, foundation)) {
      plan.config = delta_of(plan.image->config);
    } else {
      plan_instructions(plan, entry, args, plan.image ? start_of(*plan.image) : start_of(compose_config(below)),
                        foundation, diagnostics);
    }
    plan.inputs = inputs_of(plan);
    place[plan.name] = plans.size();
    plans.push_back(std::move(plan));
  }
  return plans;
}

} // namespace sheaf::plan
