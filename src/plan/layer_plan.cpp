// SPDX-License-Identifier: Apache-2.0
#include "plan/layer_plan.hpp"

#include "base/text.hpp"
#include "containerfile/expand.hpp"
#include "containerfile/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sheaf::plan {
namespace {

namespace cf = containerfile;

/// As in the OCI image-spec, config.md: what this program was built for is what it builds for.
#if defined(__aarch64__)
constexpr const char* k_platform = "linux/arm64";
#else
constexpr const char* k_platform = "linux/amd64";
#endif

/// The name that stands for "what this layer is built on" in the FROM of a layer's Containerfile.
constexpr std::string_view k_base_image = "BASE_IMAGE";

std::string normalise_path(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto part : split(path, '/')) {
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.emplace_back(part);
    }
  }
  return "/" + joined(parts, "/");
}

/// Turns the instructions of one layer into steps, keeping track of what ENV, ARG, SHELL, USER and WORKDIR say.
class LayerPlanner {
public:
  LayerPlanner(const catalogue::LayerDefinition& definition, const cf::File& file, ConfigDelta parent,
               const std::map<std::string, std::string, std::less<>>& args, Diagnostics& diagnostics)
      : m_definition(definition), m_file(file), m_now(std::move(parent)), m_args(args), m_diagnostics(diagnostics) {
    if (m_now.shell.empty()) {
      m_now.shell = {"/bin/sh", "-c"};
    }
    if (m_now.directory.empty()) {
      m_now.directory = "/";
    }
  }

  void run(LayerPlan& plan) {
    check_from();
    for (const auto& [name, value] : m_definition.env) {
      set_variable(name, value);
    }
    for (const auto& instruction : m_file.stages.front().instructions) {
      std::visit([&](const auto& one) { apply(plan, one); }, instruction);
    }
    settle_start();
    plan.config = m_delta;
  }

private:
  /// Who starts what and where is the base's and the project's word. USER, WORKDIR, CMD, ENTRYPOINT and SHELL of any
  /// other layer are for its own build: which layers are joined must not change how the environment starts.
  void settle_start() {
    if (m_definition.kind != catalogue::Kind::base && m_definition.kind != catalogue::Kind::project) {
      m_delta = {m_delta.environment, "", "", {}, {}, {}, m_delta.labels};
    } else if (m_delta.command.empty()) {
      m_delta.command = m_definition.command;
    }
  }

  void error(Span span, std::string rule, std::string message, std::string hint = {}) {
    m_diagnostics.error(m_file.source, span, std::move(rule), std::move(message), std::move(hint));
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
    if (image != "${BASE_IMAGE}" && image != "$BASE_IMAGE") {
      error(from.image.span, "layer-from", fmt::format("a layer is built on what it needs, not on '{}'", image),
            "write 'ARG BASE_IMAGE' and 'FROM ${BASE_IMAGE}'");
    }
  }

  std::optional<std::string> variable(std::string_view name) const {
    if (const auto found = m_now.environment.find(std::string(name)); found != m_now.environment.end()) {
      return found->second;
    }
    const auto found = m_build_args.find(std::string(name));
    return found != m_build_args.end() ? std::optional(found->second) : std::nullopt;
  }

  std::string expanded(const cf::Word& word) {
    auto value = cf::expand(
        word.text, [this](std::string_view name) { return variable(name); }, m_file.escape);
    if (!value) {
      error(word.span, "expansion", value.error().summary());
      return {};
    }
    return *value;
  }

  void set_variable(const std::string& name, const std::string& value) {
    m_now.environment[name] = value;
    m_delta.environment[name] = value;
  }

  static void add_step(LayerPlan& plan, const cf::Origin& origin, decltype(Step::action) action) {
    plan.steps.push_back({origin.display(), origin.line, std::move(action)});
  }

  void apply(LayerPlan& /*plan*/, const cf::Arg& arg) {
    if (arg.name.text == k_base_image) {
      return;
    }
    const auto given = m_args.find(arg.name.text);
    if (given != m_args.end()) {
      m_build_args[arg.name.text] = given->second;
    } else if (arg.default_value) {
      m_build_args[arg.name.text] = expanded(*arg.default_value);
    } else if (const auto global = std::ranges::find(m_file.global_arguments, arg.name.text,
                                                     [](const cf::Arg& one) { return one.name.text; });
               global != m_file.global_arguments.end() && global->default_value) {
      m_build_args[arg.name.text] = expanded(*global->default_value);
    }
  }

  void apply(LayerPlan& /*plan*/, const cf::Env& env) {
    // All pairs of one ENV see the values from before it: Dockerfile reference, ENV.
    std::vector<std::pair<std::string, std::string>> values;
    for (const auto& pair : env.pairs) {
      values.emplace_back(expanded(pair.name), expanded(pair.value));
    }
    for (const auto& [name, value] : values) {
      set_variable(name, value);
    }
  }

  void apply(LayerPlan& plan, const cf::Run& run) {
    if (const auto* script = std::get_if<cf::ScriptCommand>(&run.command)) {
      error(script->span, "unsupported-heredoc", "a heredoc that starts with '#!' is not supported in a layer yet",
            "leave the first line out to have the shell run it");
    }
    auto environment = m_build_args;
    for (const auto& [name, value] : m_now.environment) {
      environment[name] = value;
    }
    add_step(plan, run.origin, RunStep{argv_of(run), environment, m_now.directory, m_now.user});
  }

  std::vector<std::string> argv_of(const cf::Run& run) const {
    if (const auto* exec = std::get_if<cf::ExecCommand>(&run.command)) {
      return words_of(*exec);
    }
    const auto* shell = std::get_if<cf::ShellCommand>(&run.command);
    return in_shell(shell != nullptr ? shell->text : std::get<cf::ScriptCommand>(run.command).text);
  }

  std::vector<std::string> in_shell(const std::string& text) const {
    auto argv = m_now.shell;
    argv.push_back(text);
    return argv;
  }

  static std::vector<std::string> words_of(const cf::ExecCommand& exec) {
    std::vector<std::string> words;
    for (const auto& word : exec.arguments) {
      words.push_back(word.text);
    }
    return words;
  }

  void apply(LayerPlan& plan, const cf::Copy& copy) {
    if (copy.from) {
      error(copy.from->span, "unsupported-flag", "'--from' is not supported in a layer yet");
    }
    CopyStep step;
    for (const auto& source : copy.sources) {
      add_sources(step, source);
    }
    auto destination = expanded(copy.destination);
    const bool into = destination.ends_with('/') || destination == ".";
    destination = normalise_path(destination.starts_with('/') ? destination : m_now.directory + "/" + destination);
    step.destination = into && destination != "/" ? destination + "/" : destination;
    if (copy.sources.size() > 1 && !into) {
      error(copy.destination.span, "copy-destination", "several sources need a destination that ends in '/'");
    }
    step.owner = copy.chown ? expanded(*copy.chown) : std::string();
    if (copy.chmod) {
      step.mode = to_number<unsigned>(expanded(*copy.chmod), 8);
      if (!step.mode || *step.mode > 07777U) {
        error(copy.chmod->span, "bad-mode", fmt::format("'{}' is not an octal mode", copy.chmod->text));
      }
    }
    add_step(plan, copy.origin, std::move(step));
  }

  void add_sources(CopyStep& step, const cf::Word& word) {
    const auto path = normalise_path(expanded(word)).substr(1);
    const auto has = [&](const auto& file) { return file.first == path || file.first.starts_with(path + "/"); };
    if (path.find_first_of("*?[") != std::string::npos) {
      error(word.span, "unsupported-glob", "patterns in COPY are not supported in a layer yet");
    } else if (!path.empty() && std::ranges::none_of(m_definition.files, has)) {
      std::vector<std::string> names;
      for (const auto& [name, content] : m_definition.files) {
        names.push_back(name);
      }
      error(word.span, "missing-file", fmt::format("the layer's folder has no '{}'", path));
    }
    step.sources.push_back(path.empty() ? "." : path);
  }

  void apply(LayerPlan& plan, const cf::Workdir& workdir) {
    const auto path = expanded(workdir.path);
    m_now.directory = normalise_path(path.starts_with('/') ? path : m_now.directory + "/" + path);
    m_delta.directory = m_now.directory;
    add_step(plan, workdir.origin, MakeDirectoryStep{m_now.directory});
  }

  void apply(LayerPlan& /*plan*/, const cf::User& user) {
    m_now.user = expanded(user.user);
    m_delta.user = m_now.user;
  }

  template <class Command>
  std::vector<std::string> command_words(const Command& command) const {
    const auto* exec = std::get_if<cf::ExecCommand>(&command);
    return exec != nullptr ? words_of(*exec) : in_shell(std::get<cf::ShellCommand>(command).text);
  }

  void apply(LayerPlan& /*plan*/, const cf::Cmd& cmd) { m_delta.command = command_words(cmd.command); }
  void apply(LayerPlan& /*plan*/, const cf::Entrypoint& entrypoint) {
    m_delta.entrypoint = command_words(entrypoint.command);
  }

  void apply(LayerPlan& /*plan*/, const cf::Label& label) {
    for (const auto& pair : label.pairs) {
      m_delta.labels[expanded(pair.name)] = expanded(pair.value);
    }
  }

  template <class Other>
  void apply(LayerPlan& /*plan*/, const Other& other) {
    error(other.origin.span, "unsupported-instruction", "this instruction is not supported in a layer yet");
  }

  void apply(LayerPlan& /*plan*/, const cf::Shell& shell) {
    m_now.shell.clear();
    for (const auto& word : shell.arguments) {
      m_now.shell.push_back(word.text);
    }
    m_delta.shell = m_now.shell;
  }

  const catalogue::LayerDefinition& m_definition;
  const cf::File& m_file;
  ConfigDelta m_now;
  ConfigDelta m_delta;
  std::map<std::string, std::string> m_build_args;
  const std::map<std::string, std::string, std::less<>>& m_args;
  Diagnostics& m_diagnostics;
};

/// Build arguments by the names that the Containerfile uses, from the values chosen for the layer's `args`.
std::map<std::string, std::string, std::less<>> build_args(const catalogue::LayerDefinition& definition,
                                                           const ArgValues& values) {
  std::map<std::string, std::string, std::less<>> result;
  const auto given = values.find(definition.name);
  for (const auto& [name, arg] : definition.args) {
    const auto found = given != values.end() ? given->second.find(name) : decltype(given->second.end()){};
    if (given != values.end() && found != given->second.end()) {
      result[catalogue::build_arg_name(name)] = found->second;
    } else if (arg.default_value) {
      result[catalogue::build_arg_name(name)] = *arg.default_value;
    }
  }
  return result;
}

std::string describe(const Step& step) {
  if (const auto* run = std::get_if<RunStep>(&step.action)) {
    std::string text = fmt::format("run {} in {} as {}", shell_join(run->argv), run->directory, run->user);
    for (const auto& [name, value] : run->environment) {
      text += fmt::format("\n{}={}", name, shell_quote(value));
    }
    return text;
  }
  if (const auto* copy = std::get_if<CopyStep>(&step.action)) {
    return fmt::format("copy {} to {} owner {} mode {:o}", shell_join(copy->sources), copy->destination, copy->owner,
                       copy->mode.value_or(010000));
  }
  return "mkdir " + std::get<MakeDirectoryStep>(step.action).path;
}

std::string describe(const catalogue::Bootstrap& bootstrap) {
  return fmt::format("{} {} {} {} {} {}", bootstrap.tool, bootstrap.suite, bootstrap.variant,
                     fmt::join(bootstrap.components, ","), fmt::join(bootstrap.packages, ","), bootstrap.mirror);
}

/// Digest of the files that some COPY of the plan names, and of nothing else in the folder.
std::string files_digest(const LayerPlan& plan) {
  Sha256 hash;
  for (const auto& [path, content] : plan.files) {
    const bool used = std::ranges::any_of(plan.steps, [&path = path](const Step& step) {
      const auto* copy = std::get_if<CopyStep>(&step.action);
      return copy != nullptr && std::ranges::any_of(copy->sources, [&](const std::string& source) {
               return source == "." || source == path || path.starts_with(source + "/");
             });
    });
    if (used) {
      hash.field(path).field(content);
    }
  }
  return hash.finish().to_string();
}

std::map<std::string, std::string> inputs_of(const LayerPlan& plan) {
  Sha256 steps;
  for (const auto& step : plan.steps) {
    steps.field(describe(step));
  }
  Sha256 config;
  config.field("environment");
  for (const auto& [name, value] : plan.config.environment) {
    config.field(name).field(value);
  }
  config.field("labels");
  for (const auto& [name, value] : plan.config.labels) {
    config.field(name).field(value);
  }
  for (const auto* list : {&plan.config.command, &plan.config.entrypoint, &plan.config.shell}) {
    config.field(shell_join(*list));
  }
  config.field(plan.config.user).field(plan.config.directory);
  std::map<std::string, std::string> inputs = {{"name", plan.name},
                                               {"platform", k_platform},
                                               {"instructions", steps.finish().to_string()},
                                               {"config", config.finish().to_string()},
                                               {"files", files_digest(plan)}};
  if (plan.bootstrap) {
    inputs["bootstrap"] = describe(*plan.bootstrap);
  }
  if (!plan.replaces.empty()) {
    inputs["replaces"] = joined(plan.replaces, " ");
  }
  if (!plan.capture.empty()) {
    Sha256 rules;
    for (const auto& rule : plan.capture) { // the reason is for people
      rules.field(rule.path).field(rule.kind);
    }
    inputs["capture"] = rules.finish().to_string();
  }
  return inputs;
}

/// All that `entry` needs, directly or not, in the stack's order; the base belongs to everything.
std::vector<std::string> closure_of(const resolve::Stack& stack, const resolve::StackEntry& entry) {
  std::set<std::string> wanted(entry.needs.begin(), entry.needs.end());
  // Needs come before what needs them, so one pass from the back closes the set.
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot compile std::views::reverse
  for (auto other = stack.entries.rbegin(); other != stack.entries.rend(); ++other) {
    if (wanted.contains(other->layer->name)) {
      wanted.insert(other->needs.begin(), other->needs.end());
    }
  }
  std::vector<std::string> closure;
  for (const auto& other : stack.entries) {
    const bool is_base = other.layer->kind == catalogue::Kind::base;
    if (other.layer != entry.layer && (is_base || wanted.contains(other.layer->name))) {
      closure.push_back(other.layer->name);
    }
  }
  return closure;
}

const std::map<std::string, std::string>& default_environment() {
  static const std::map<std::string, std::string> environment = {{"PATH", k_default_path}};
  return environment;
}

/// Adds to `path` what `value` has that `path` lacks: behind the last entry they share it goes to the end, else to the
/// front.
std::string merge_path(const std::string& path, const std::string& value) {
  std::vector<std::string> entries;
  for (const auto part : split(path, ':')) {
    entries.emplace_back(part);
  }
  const auto known = [&](std::string_view part) { return std::ranges::find(entries, part) != entries.end(); };
  const auto parts = split(value, ':');
  const auto last_known = std::ranges::find_if(parts.rbegin(), parts.rend(), known).base();
  std::vector<std::string> front;
  std::vector<std::string> back;
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    if (!known(*part)) {
      (part < last_known || last_known == parts.begin() ? front : back).emplace_back(*part);
    }
  }
  front.insert(front.end(), entries.begin(), entries.end());
  front.insert(front.end(), back.begin(), back.end());
  return joined(front, ":");
}

/// Variables whose value is a list of folders, to which several layers may add.
bool is_list(const std::string& name) {
  static const std::set<std::string> names = {
      "PATH",      "CLASSPATH", "CPATH",           "LD_LIBRARY_PATH", "INFOPATH",        "LIBRARY_PATH", "MANPATH",
      "NODE_PATH", "PERL5LIB",  "PKG_CONFIG_PATH", "PYTHONPATH",      "XDG_CONFIG_DIRS", "XDG_DATA_DIRS"};
  return names.contains(name);
}

/// The Containerfile for the family of the base, which is deb so far.
std::shared_ptr<const SourceText> containerfile_of(const catalogue::LayerDefinition& definition) {
  const auto family = definition.families.find(catalogue::Family::deb);
  const auto file =
      family != definition.families.end() ? definition.files.find(family->second) : definition.files.end();
  if (file == definition.files.end()) {
    return definition.containerfile;
  }
  return std::make_shared<SourceText>(definition.folder + "/" + file->first, file->second);
}

} // namespace

std::map<std::string, std::string> compose_environment(const std::vector<const ConfigDelta*>& deltas) {
  auto environment = default_environment();
  for (const auto* delta : deltas) {
    for (const auto& [name, value] : delta->environment) {
      auto& slot = environment[name];
      slot = is_list(name) && !slot.empty() ? merge_path(slot, value) : value;
    }
  }
  return environment;
}

ConfigDelta compose_config(const std::vector<const ConfigDelta*>& deltas) {
  ConfigDelta config;
  const auto take = [](auto& slot, const auto& value) {
    if (!value.empty()) {
      slot = value;
    }
  };
  for (const auto* delta : deltas) {
    take(config.user, delta->user);
    take(config.directory, delta->directory);
    take(config.command, delta->command);
    take(config.entrypoint, delta->entrypoint);
    take(config.shell, delta->shell);
    for (const auto& [name, value] : delta->labels) {
      config.labels[name] = value;
    }
  }
  config.environment = compose_environment(deltas);
  return config;
}

std::vector<LayerPlan> plan_layers(const resolve::Stack& stack, const ArgValues& args, Diagnostics& diagnostics) {
  std::vector<LayerPlan> plans;
  std::map<std::string, std::size_t> place;
  for (const auto& entry : stack.entries) {
    const auto& definition = *entry.layer;
    LayerPlan plan;
    plan.name = definition.name;
    plan.kind = std::string(catalogue::to_string(definition.kind));
    plan.reason = entry.reason;
    plan.replaces = definition.replaces;
    plan.bootstrap = definition.bootstrap;
    plan.files = definition.files;
    plan.capture = definition.capture;
    if (definition.kind != catalogue::Kind::base) {
      plan.closure = closure_of(stack, entry);
    }
    std::vector<const ConfigDelta*> below;
    for (const auto& name : plan.closure) {
      below.push_back(&plans[place.at(name)].config);
    }
    const auto source = containerfile_of(definition);
    const auto file = source ? containerfile::parse(source, diagnostics) : std::nullopt;
    if (file) {
      const auto chosen = build_args(definition, args);
      LayerPlanner(definition, *file, compose_config(below), chosen, diagnostics).run(plan);
    }
    plan.inputs = inputs_of(plan);
    place[plan.name] = plans.size();
    plans.push_back(std::move(plan));
  }
  return plans;
}

RecipeKey recipe_key(const LayerPlan& plan, const std::map<std::string, ContentKey>& closure) {
  Sha256 hash;
  // Counts up when the same recipe gives another layer: the capture table or the ids of accounts changed.
  hash.field("sheaf-recipe 3");
  for (const auto& [name, value] : plan.inputs) {
    hash.field(name).field(value);
  }
  for (const auto& name : plan.closure) {
    hash.field(name).field(closure.at(name).hex());
  }
  return RecipeKey{hash.finish()};
}

} // namespace sheaf::plan
