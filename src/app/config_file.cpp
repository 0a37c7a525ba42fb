// SPDX-License-Identifier: Apache-2.0
#include "app/config_file.hpp"

#include "base/text.hpp"
#include "os/child.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace sheaf::app {
namespace {

namespace cat = catalogue;

std::vector<std::string> names_of(const cat::Catalogue& catalogue, std::initializer_list<cat::Kind> kinds) {
  std::vector<std::string> names;
  for (const auto& layer : catalogue.all()) {
    if (std::ranges::find(kinds, layer.kind) != kinds.end()) {
      names.push_back(layer.name);
    }
  }
  std::ranges::sort(names);
  return names;
}

/// A key with an example of its value, both commented out, below what it is for.
std::string offer(std::string_view purpose, std::string_view example) {
  std::string text = fmt::format("\n# {}\n", purpose);
  for (const auto line : lines_of(example)) {
    text += fmt::format("#{}\n", line);
  }
  return text;
}

/// The first argument of a layer there is.
std::string example_of_args(const cat::Catalogue& catalogue) {
  for (const auto& layer : catalogue.all()) {
    for (const auto& [name, arg] : layer.args) {
      return fmt::format("args:\n  {}:\n    {}: {}", layer.name, name, arg.default_value.value_or("VALUE"));
    }
  }
  return {};
}

std::string findings_text(const detect::Detection& detection) {
  if (detection.findings.empty()) {
    return "\n# No file of the project calls for a layer: the environment is the base.\n";
  }
  std::string text = "\n# Found in the project, and used without a word here:\n";
  std::string last;
  for (const auto& finding : detection.findings) {
    if (finding.calls && std::exchange(last, finding.layer) != finding.layer) {
      text += fmt::format("#   {:<10} {}\n", finding.layer, finding.file);
    }
  }
  return text;
}

Result<void> run_editor(const std::string& path, std::stop_token stop) {
  const auto editor = os::environment("VISUAL").value_or(os::environment("EDITOR").value_or("vi"));
  os::SpawnOptions options;
  // The variable may hold options, too: git and crontab take it as a shell does.
  options.argv = {"/bin/sh", "-c", editor + " \"$1\"", editor, path};
  SHEAF_TRY_ASSIGN(auto child, os::Child::spawn(options));
  SHEAF_TRY_ASSIGN(const auto status, child.wait(std::move(stop)));
  if (!status.ok()) {
    return Error(ErrorCode::failed_step, fmt::format("the editor '{}' ended with {}", editor, status.to_string()))
        .with_hint("set VISUAL or EDITOR to another one");
  }
  return {};
}

Result<void> check(const EditedConfig& config, const std::string& text) {
  Diagnostics diagnostics;
  const auto parsed = cat::parse_config(std::make_shared<SourceText>(config.path, text), diagnostics);
  if (diagnostics.has_errors()) {
    return diagnostics.to_error(fmt::format("reading '{}'", config.path));
  }
  return parsed && config.level == ConfigLevel::project ? refuse_registries(*parsed) : Result<void>();
}

} // namespace

std::string starter_config(const cat::Catalogue& catalogue, const detect::Detection& detection) {
  std::string text =
      "# The environment of this project: 'sheaf up' starts it, 'sheaf plan' shows what it is made of.\n";
  text += findings_text(detection);
  text += offer("The layer that everything is built on.", "base: base");
  const auto layers = names_of(catalogue, {cat::Kind::toolchain, cat::Kind::tool});
  text += offer(fmt::format("Layers beside those that were found. There are: {}.", joined(layers, ", ")),
                fmt::format("layers: [{}]", layers.empty() ? "" : layers.front()));
  const auto agents = names_of(catalogue, {cat::Kind::agent});
  text += offer(fmt::format("Agents: names, 'all', 'all,-x' or 'none'. There are: {}.", joined(agents, ", ")),
                fmt::format("agents: [{}]", agents.empty() ? "" : agents.front()));
  if (const auto args = example_of_args(catalogue); !args.empty()) {
    text += offer("Arguments of layers; 'sheaf layer show NAME' lists them.", args);
  }
  text += offer("Variables of the environment.", "env:\n  EDITOR: vim");
  text += offer("Folders of the project that are seen elsewhere as well: source:target, or source:target:ro.",
                "mounts:\n  - data:/data:ro");
  return text;
}

Result<void> create_config(const std::string& path, const std::string& text) {
  if (os::exists(path)) {
    return Error(ErrorCode::invalid, fmt::format("there is a '{}' already", path))
        .with_hint("'sheaf config edit' changes it, 'sheaf init --print' shows what a new one would say");
  }
  return os::write_file(path, text).context(fmt::format("writing '{}'", path));
}

Result<bool> edit_config(const EditedConfig& config, EventSink& events, std::stop_token stop) {
  const auto doing = fmt::format("editing '{}'", config.path);
  SHEAF_TRY_ASSIGN(const auto before, os::read_file_if_exists(config.path).context(doing));
  const auto old_text = before.value_or(config.starter);
  // A link stays a link.
  const auto path = before ? os::real_path(config.path).value_or(config.path) : config.path;
  const auto copy = path + ".edit";
  if (os::exists(copy)) {
    events.emit({EventKind::note, "", fmt::format("going on with '{}', which was not good enough last time", copy)});
  } else {
    SHEAF_TRY(os::make_directories(path.substr(0, path.rfind('/'))).context(doing));
    SHEAF_TRY(os::write_file(copy, old_text).context(doing));
  }
  const auto edited = run_editor(copy, std::move(stop)).context(doing);
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(copy).context(doing));
  if (text == old_text) {
    SHEAF_TRY(os::remove_file_if_exists(copy).context(doing));
  }
  SHEAF_TRY(edited);
  if (auto good = check(config, text); !good) {
    return std::move(good).error().with_hint(
        fmt::format("'{}' is as it was; your text is in '{}', and the next 'sheaf config edit' goes on with it",
                    config.path, copy));
  }
  if (text == old_text) {
    return false;
  }
  SHEAF_TRY(os::write_file(path, text, os::Durable::yes).context(doing));
  SHEAF_TRY(os::remove_file_if_exists(copy).context(doing));
  return true;
}

} // namespace sheaf::app
