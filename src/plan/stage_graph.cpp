// SPDX-License-Identifier: Apache-2.0
#include "plan/stage_graph.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"
#include "plan/global_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {
namespace {

namespace cf = containerfile;

constexpr std::string_view k_image_scheme = "docker-image://";

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string without_prefix(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// The short form of an image's name, as --build-context has it: "docker.io/library/alpine:latest" is "alpine".
std::string familiar(const std::string& name) {
  auto result = without_prefix(without_prefix(name, "docker.io/"), "library/");
  const std::string_view latest = ":latest";
  return result.ends_with(latest) ? result.substr(0, result.size() - latest.size()) : result;
}

BuildArguments given_arguments(const ImageRequest& request) {
  BuildArguments arguments;
  for (const auto& [name, value] : request.build_args) {
    if (value) {
      arguments[name] = *value;
    }
  }
  return arguments;
}

/// An image is wanted for the platform of the stage that names it.
Source for_platform(Source source, const Platform& platform) {
  if (source.kind == Source::Kind::image) {
    source.name = PlatformImage{std::move(source.name), platform}.to_string();
  }
  return source;
}

/// The name or number by which people know a stage.
std::string title(const cf::Stage& stage, std::size_t number) {
  return stage.from.alias ? stage.from.alias->text : std::to_string(number);
}

} // namespace

StageGraph::StageGraph(const cf::File& file, const ImageRequest& request, Diagnostics& diagnostics)
    : m_file(file),
      m_request(request),
      m_diagnostics(diagnostics),
      m_build_args(given_arguments(request)),
      m_platform(request.platform.value_or(native_platform())) {
  const auto& last = file.stages.back().from.alias;
  const auto target_stage = !request.target.empty() ? request.target : last ? last->text : std::string();
  m_globals = global_arguments(file, m_build_args, m_platform, target_stage, diagnostics);
  StageWords words(file.source, file.escape, m_globals, diagnostics);
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    add_node(i, words);
  }
  for (std::size_t i = 0; i < m_nodes.size(); ++i) {
    if (!m_nodes[i].replaced_by) {
      for (const auto& instruction : m_nodes[i].stage->instructions) {
        add_references(i, instruction, words);
      }
    }
  }
  find_target(diagnostics);
}

void StageGraph::add_node(std::size_t number, StageWords& words) {
  auto& node = m_nodes.emplace_back();
  node.stage = &m_file.stages[number];
  node.platform = m_platform;
  const auto& from = node.stage->from;
  if (from.alias) {
    node.replaced_by = context_named(from.alias->text);
  }
  const auto name = words.expand(from.image);
  if (name.empty()) {
    words.error(from.image.span, "empty-base", fmt::format("the name of the base is empty ('{}')", from.image.text),
                "give its ARG a default in front of the first FROM, or a value with --build-arg");
    return;
  }
  if (from.platform) {
    const auto platform = Platform::parse(words.expand(*from.platform));
    if (!platform) {
      words.error(from.platform->span, "bad-platform", platform.error().message(), platform.error().hint());
    }
    node.platform = platform.value_or(m_platform);
  }
  const auto stage = stage_named(lower_case(name), number);
  node.base = node.replaced_by    ? *node.replaced_by
              : stage             ? result_of(*stage)
              : name == "scratch" ? Source{Source::Kind::nothing, {}, 0}
                                  : image_or_context(name);
  node.base = for_platform(std::move(node.base), node.platform);
  if (node.base.kind == Source::Kind::stage) {
    node.platform = from.platform ? node.platform : m_nodes[node.base.stage].platform;
  }
  add_reference(number, node.base);
}

/// A name or number in any case; the last stage if none is asked for.
void StageGraph::find_target(Diagnostics& diagnostics) {
  if (m_request.target.empty()) {
    m_target = m_nodes.size() - 1;
    return;
  }
  m_target = stage_named(lower_case(m_request.target), m_nodes.size());
  if (const auto number = to_number<std::size_t>(m_request.target); !m_target && number && *number < m_nodes.size()) {
    m_target = number;
  }
  if (!m_target) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < m_nodes.size(); ++i) {
      names.push_back(title(*m_nodes[i].stage, i));
    }
    const auto near = nearest(m_request.target, names);
    diagnostics.error(nullptr, {}, "unknown-target", fmt::format("there is no stage '{}' to build", m_request.target),
                      near ? fmt::format("did you mean '{}'?", *near)
                           : fmt::format("the stages are {}", joined(names, ", ")));
  }
}

std::optional<Source> StageGraph::context_named(const std::string& name) const {
  if (m_request.folder_contexts.contains(name)) {
    return Source{Source::Kind::named_context, name, 0};
  }
  const auto found = m_request.image_contexts.find(name);
  return found == m_request.image_contexts.end()
             ? std::nullopt
             : std::optional(Source{Source::Kind::image, without_prefix(found->second, k_image_scheme), 0});
}

std::optional<std::size_t> StageGraph::stage_named(const std::string& name, std::size_t before) const {
  for (auto number = before; number-- > 0;) { // a later stage of the same name takes its place
    const auto& alias = m_file.stages[number].from.alias;
    if (alias && alias->text == name) {
      return number;
    }
  }
  return std::nullopt;
}

Source StageGraph::image_or_context(const std::string& name) const {
  for (const auto& spelling : {name, familiar(name)}) {
    if (auto context = context_named(spelling)) {
      return *context;
    }
  }
  // The context's name may be the long one, too.
  for (const auto& [context, image] : m_request.image_contexts) {
    if (familiar(context) == familiar(name)) {
      return *context_named(context);
    }
  }
  for (const auto& context : m_request.folder_contexts) {
    if (familiar(context) == familiar(name)) {
      return *context_named(context);
    }
  }
  return {Source::Kind::image, name, 0};
}

Source StageGraph::result_of(std::size_t number) const {
  return m_nodes[number].replaced_by.value_or(Source{Source::Kind::stage, {}, number});
}

std::optional<Source> StageGraph::source_of(const std::string& name, Span span, std::size_t number,
                                            StageWords& words) const {
  if (name.find('$') != std::string::npos) {
    words.error(span, "variable-source", fmt::format("'{}' is no name: variables have no effect here", name),
                "write 'FROM IMAGE AS NAME' with the variable in a stage of its own, and copy from NAME");
    return std::nullopt;
  }
  auto stage = stage_named(lower_case(name), m_nodes.size());
  if (const auto given = to_number<std::size_t>(name); given && !stage) {
    if (*given >= m_nodes.size()) {
      words.error(span, "unknown-stage", fmt::format("there is no stage {}", name),
                  fmt::format("the stages of this file are 0 to {}", m_nodes.size() - 1));
      return std::nullopt;
    }
    stage = given;
  }
  if (!stage) {
    return name == "scratch" ? Source{Source::Kind::nothing, {}, 0}
                             : for_platform(image_or_context(name), m_nodes[number].platform);
  }
  const auto source = for_platform(result_of(*stage), m_nodes[number].platform);
  if (source.kind == Source::Kind::stage && *stage == number) {
    words.error(span, "stage-cycle", fmt::format("stage '{}' cannot copy from itself", name));
    return std::nullopt;
  }
  if (source.kind == Source::Kind::stage && *stage > number) {
    words.error(span, "forward-stage", fmt::format("stage '{}' stands further down", name),
                fmt::format("move the stage on line {} in front of this one", m_file.stages[*stage].from.origin.line));
    return std::nullopt;
  }
  return source;
}

void StageGraph::add_reference(std::size_t number, const Source& source) {
  if (source.kind == Source::Kind::stage) {
    m_nodes[number].needs.insert(source.stage);
  } else if (source.kind == Source::Kind::image) {
    m_nodes[number].images.insert(source.name);
  }
}

void StageGraph::add_references(std::size_t number, const cf::Instruction& instruction, StageWords& words) {
  const auto add = [&](const cf::Word& word) {
    if (const auto source = source_of(word.text, word.span, number, words)) {
      add_reference(number, *source);
    }
  };
  if (const auto* copy = std::get_if<cf::Copy>(&instruction); copy != nullptr && copy->from) {
    add(*copy->from);
  }
  if (const auto* run = std::get_if<cf::Run>(&instruction)) {
    for (const auto& mount : run->mounts) {
      for (const auto& option : mount.options) {
        if (lower_case(option.name.text) == "from" && option.value && !option.value->text.empty()) {
          add(*option.value);
        }
      }
    }
  }
}

std::set<std::size_t> StageGraph::needed() const {
  std::set<std::size_t> needed;
  if (m_target) {
    needed.insert(*m_target);
    // What a stage needs stands above it, so one pass from the target upwards finds all.
    for (auto number = *m_target + 1; number-- > 0;) {
      if (needed.contains(number)) {
        needed.insert(m_nodes[number].needs.begin(), m_nodes[number].needs.end());
      }
    }
  }
  return needed;
}

void StageGraph::add_triggers(std::size_t number, const std::vector<std::string>& texts, const std::string& whose) {
  for (const auto& text : texts) {
    auto trigger = cf::parse_trigger("ONBUILD of " + whose, text, m_diagnostics);
    if (!trigger) {
      continue;
    }
    StageWords words(trigger->source, '\\', m_globals, m_diagnostics);
    for (auto& instruction : trigger->instructions) {
      add_references(number, instruction, words);
      m_nodes[number].triggers.push_back({std::move(instruction), trigger->source});
    }
  }
}

void StageGraph::add_triggers(const std::map<std::string, oci::Image>& images) {
  // A trigger may copy from a stage that was not needed before; that one stands further up, so it is still to come.
  for (auto number = m_nodes.size(); number-- > 0;) {
    const auto& base = m_nodes[number].base;
    if (!needed().contains(number)) {
      continue;
    }
    if (const auto image = images.find(base.name); base.kind == Source::Kind::image && image != images.end()) {
      if (!m_nodes[number].replaced_by) {
        add_triggers(number, image->second.config.on_build, "image " + base.name);
      }
    } else if (base.kind == Source::Kind::stage) {
      std::vector<std::string> texts;
      for (const auto& instruction : m_nodes[base.stage].stage->instructions) {
        if (const auto* onbuild = std::get_if<cf::Onbuild>(&instruction)) {
          texts.push_back(onbuild->instruction.text);
        }
      }
      add_triggers(number, texts, "stage " + title(*m_nodes[base.stage].stage, base.stage));
    }
  }
}

} // namespace sheaf::plan
