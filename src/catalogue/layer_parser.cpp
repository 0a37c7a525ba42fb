// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "catalogue/layer_definition.hpp"
#include "catalogue/yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sheaf::catalogue {
namespace {

constexpr std::array<Kind, 5> k_kinds = {Kind::base, Kind::toolchain, Kind::tool, Kind::agent, Kind::project};
constexpr std::array<Family, 3> k_families = {Family::deb, Family::rpm, Family::apk};
constexpr std::array<ArgType, 4> k_arg_types = {ArgType::string, ArgType::integer, ArgType::boolean, ArgType::version};

constexpr std::string_view k_containerfile = "Containerfile";

/// The words that `values` are written as.
template <class Values>
std::vector<std::string> words_for(const Values& values) {
  std::vector<std::string> words;
  words.reserve(values.size());
  for (const auto value : values) {
    words.emplace_back(to_string(value));
  }
  return words;
}

/// The value written as `word`, which is one of them.
template <class Values>
typename Values::value_type value_of(const Values& values, std::string_view word) {
  return *std::find_if(values.begin(), values.end(), [&](auto value) { return to_string(value) == word; });
}

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), fits);
}

std::vector<std::string> read_mentions(MapReader& map, std::string_view key, LayerDefinition& layer) {
  std::vector<std::string> names;
  for (auto& word : map.words(key)) {
    if (!is_layer_name(word.text)) {
      map.context().error(word.span, "bad-value", fmt::format("'{}' is not a layer name", word.text),
                          "names are made of a-z, 0-9, '_' and '-'");
    } else if (word.text == layer.name) {
      map.context().error(word.span, "bad-value", fmt::format("'{}' cannot name the layer itself", key));
    } else if (std::find(names.begin(), names.end(), word.text) == names.end()) {
      layer.mentions.push_back({std::string(key), word.text, word.span});
      names.push_back(std::move(word.text));
    }
  }
  return names;
}

void read_identity(MapReader& map, LayerDefinition& layer) {
  layer.summary = map.required_text("summary").value_or("");
  if (const auto* node = map.require("kind")) {
    if (const auto word = read_choice(*node, words_for(k_kinds), "'kind'", map.context())) {
      layer.kind = value_of(k_kinds, *word);
    }
  }
  layer.needs = read_mentions(map, "needs", layer);
  layer.after = read_mentions(map, "after", layer);
  layer.conflicts = read_mentions(map, "conflicts", layer);
  layer.replaces = read_mentions(map, "replaces", layer);
  layer.is_volatile = map.boolean("volatile").value_or(false);
}

ArgDefinition read_arg(const YamlEntry& entry, const ReadContext& context) {
  ArgDefinition arg;
  MapReader map(entry.value, fmt::format("the argument '{}'", entry.key), context);
  if (const auto word = map.choice("type", words_for(k_arg_types))) {
    arg.type = value_of(k_arg_types, *word);
  }
  for (auto& word : map.words("allowed")) {
    if (const auto mistake = arg_mistake(arg, word.text)) { // `allowed` itself is still empty: only the type counts
      context.error(word.span, "bad-value", *mistake);
    }
  }
  arg.allowed = map.texts("allowed");
  arg.default_value = map.text("default");
  if (arg.default_value) {
    if (const auto mistake = arg_mistake(arg, *arg.default_value)) {
      context.error(map.find("default")->span, "bad-value", "the default " + *mistake);
    }
  }
  arg.description = map.text("description").value_or("");
  for (auto& [name, value] : map.pairs("names")) {
    if (const auto mistake = arg_mistake(arg, value)) {
      context.error(name.span, "bad-value", fmt::format("what '{}' stands for {}", name.text, *mistake));
    }
    arg.names.emplace(std::move(name.text), std::move(value));
  }
  map.finish();
  return arg;
}

void read_args(MapReader& map, LayerDefinition& layer) {
  if (const auto* node = map.find("args")) {
    for (const auto& entry : read_map(*node, "'args'", map.context())) {
      if (!is_variable_name(build_arg_name(entry.key))) {
        map.context().error(entry.key_span, "bad-value", fmt::format("'{}' is not an argument name", entry.key));
      }
      layer.args.emplace(entry.key, read_arg(entry, map.context()));
    }
  }
}

void read_env(MapReader& map, LayerDefinition& layer) {
  for (auto& [name, value] : map.pairs("env")) {
    if (!is_variable_name(name.text)) {
      map.context().error(name.span, "bad-value", fmt::format("'{}' is not a variable name", name.text));
    }
    layer.env.push_back({std::move(name.text), std::move(value)});
  }
}

void read_ports(MapReader& map, LayerDefinition& layer) {
  if (const auto* node = map.find("ports")) {
    for (const auto& item : read_list(*node, "'ports'", map.context())) {
      if (const auto port = read_number(item, {1, 65535}, "a port", map.context())) {
        layer.ports.push_back(static_cast<std::uint16_t>(*port));
      }
    }
  }
}

std::vector<std::string> read_paths(MapReader& map, std::string_view key) {
  std::vector<std::string> paths;
  for (auto& word : map.words(key)) {
    if (!word.text.starts_with('/') && !word.text.starts_with("~/")) {
      map.context().error(word.span, "bad-value", fmt::format("'{}' is not an absolute path", word.text),
                          "start it with '/' or '~/'");
    }
    paths.push_back(std::move(word.text));
  }
  return paths;
}

void read_egress(MapReader& map, LayerDefinition& layer) {
  for (auto& word : map.words("egress")) {
    if (word.text.empty() || word.text.find_first_of("/: ") != std::string::npos) {
      map.context().error(word.span, "bad-value", fmt::format("'{}' is not a domain name", word.text),
                          "write the name alone, without scheme, port or path");
    }
    layer.egress.push_back(std::move(word.text));
  }
}

void read_newest(MapReader& map, LayerDefinition& layer) {
  layer.newest = map.text("newest").value_or("");
  const auto version = layer.args.find("version");
  if (!layer.newest.empty() && (version == layer.args.end() || version->second.type != ArgType::version)) {
    map.context().error(map.find("newest")->span, "bad-value", "there is no argument 'version' for the newest version",
                        "add 'args: {version: {type: version, default: latest}}'");
  }
}

void read_brings(MapReader& map, LayerDefinition& layer) {
  layer.brings = map.text("brings").value_or("");
  if (!layer.brings.empty() && arg_mistake({ArgType::version, {}, {}, {}}, layer.brings)) {
    map.context().error(map.find("brings")->span, "bad-value", fmt::format("'{}' is not a version", layer.brings));
  }
}

/// A rule is a file name, or a map.
void read_detect(MapReader& map, LayerDefinition& layer) {
  const auto* node = map.find("detect");
  if (node == nullptr) {
    return;
  }
  for (const auto& item : read_list(*node, "'detect'", map.context())) {
    if (item.kind == YamlNode::Kind::scalar) {
      layer.detect.push_back({item.text, {}, false, true});
      continue;
    }
    MapReader rule(item, "an entry of 'detect'", map.context());
    auto file = rule.required_text("file").value_or("");
    auto version = rule.text("version").value_or("");
    const bool is_minimum = rule.boolean("minimum").value_or(false);
    const bool calls = rule.boolean("alone").value_or(true);
    if (version.empty() && (is_minimum || !calls)) {
      map.context().error(item.span, "bad-value", "an entry of 'detect' with 'minimum' or 'alone' needs 'version'");
    }
    layer.detect.push_back({std::move(file), std::move(version), is_minimum, calls});
    rule.finish();
  }
}

/// A list of families, or a map of family to the Containerfile it is built with.
void read_families(MapReader& map, LayerDefinition& layer) {
  const auto* node = map.find("families");
  if (node == nullptr) {
    return;
  }
  const auto& context = map.context();
  const auto allowed = words_for(k_families);
  const auto add = [&](const YamlNode& word, std::string file) {
    if (const auto name = read_choice(word, allowed, "a family", context)) {
      layer.families.emplace(value_of(k_families, *name), std::move(file));
    }
  };
  if (node->kind == YamlNode::Kind::list) {
    for (const auto& item : node->items) {
      add(item, std::string(k_containerfile));
    }
    return;
  }
  for (const auto& entry : read_map(*node, "'families'", context)) {
    std::string file(k_containerfile);
    if (entry.value.kind != YamlNode::Kind::null) {
      file = read_text(entry.value, fmt::format("'{}'", entry.key), context).value_or(file);
    }
    add({YamlNode::Kind::scalar, entry.key_span, entry.key, {}, {}}, std::move(file));
  }
}

void read_bootstrap(MapReader& map, LayerDefinition& layer) {
  static const std::vector<std::string> k_tools = {"mmdebstrap"};
  static const std::vector<std::string> k_variants = {"extract", "custom", "essential", "apt",         "required",
                                                      "minbase", "buildd", "important", "debootstrap", "standard"};
  const auto* node = map.find("bootstrap");
  if (node == nullptr) {
    return;
  }
  if (layer.kind != Kind::base) {
    map.context().error(node->span, "bad-value", "only a layer of kind 'base' has 'bootstrap'");
  }
  MapReader reader(*node, "'bootstrap'", map.context());
  Bootstrap bootstrap;
  bootstrap.tool = reader.choice("tool", k_tools).value_or(k_tools.front());
  bootstrap.suite = reader.required_text("suite").value_or("");
  bootstrap.components = reader.texts("components");
  bootstrap.variant = reader.choice("variant", k_variants).value_or("minbase");
  bootstrap.packages = reader.texts("packages");
  bootstrap.mirror = reader.text("mirror").value_or("");
  if (bootstrap.components.empty()) {
    bootstrap.components = {"main"};
  }
  reader.finish();
  layer.bootstrap = std::move(bootstrap);
}

/// Why a pattern of `capture` can fit nothing, as the end of "'PATTERN' …"; nothing if it can.
std::optional<std::string> pattern_mistake(std::string_view path) {
  if (path.empty() || path.starts_with('/') || path.ends_with('/')) {
    return "must be a path below the root, without '/' at its ends";
  }
  if (const auto stars = path.find("**");
      stars != std::string_view::npos && (stars == 0 || path.substr(stars - 1) != "/**")) {
    return "may have '**' only as its last part";
  }
  for (const auto part : split(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return "must not have empty parts, '.' or '..'";
    }
  }
  return std::nullopt;
}

void read_capture(MapReader& map, LayerDefinition& layer) {
  static const std::vector<std::string> k_classes(k_capture_classes.begin(), k_capture_classes.end());
  const auto* node = map.find("capture");
  if (node == nullptr) {
    return;
  }
  for (const auto& item : read_list(*node, "'capture'", map.context())) {
    MapReader row(item, "an entry of 'capture'", map.context());
    CaptureRule rule;
    rule.path = row.required_text("path").value_or("");
    if (const auto* path = row.find("path"); path != nullptr && path->kind == YamlNode::Kind::scalar) {
      if (const auto mistake = pattern_mistake(rule.path)) {
        map.context().error(path->span, "bad-value", fmt::format("'{}' {}", rule.path, *mistake),
                            "for example 'var/lib/tool/*.lock', or 'var/lib/tool/**' for all that is below");
      }
    }
    if (const auto* kind = row.require("class")) {
      rule.kind = read_choice(*kind, k_classes, "'class'", map.context()).value_or("");
    }
    rule.reason = row.required_text("reason").value_or("");
    row.finish();
    layer.capture.push_back(std::move(rule));
  }
}

void check_consistency(const LayerDefinition& layer, const ReadContext& context) {
  if (layer.kind != Kind::base) {
    return;
  }
  for (const auto& mention : layer.mentions) {
    if (mention.key == "needs" || mention.key == "after") {
      context.error(mention.span, "bad-value", fmt::format("a layer of kind 'base' cannot have '{}'", mention.key));
    }
  }
}

} // namespace

std::optional<LayerDefinition> parse_layer(std::string name, std::shared_ptr<const SourceText> yml,
                                           Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  const auto root = parse_yaml(yml, diagnostics);
  if (!root) {
    return std::nullopt;
  }
  const ReadContext context{yml, diagnostics};
  LayerDefinition layer;
  layer.name = std::move(name);
  layer.definition = std::move(yml);
  MapReader map(*root, "a layer definition", context);
  read_identity(map, layer);
  read_args(map, layer);
  read_env(map, layer);
  read_ports(map, layer);
  layer.credentials = read_paths(map, "credentials");
  layer.persistent = read_paths(map, "persistent");
  read_egress(map, layer);
  layer.command = map.texts("command");
  layer.tests = read_tests(map);
  read_detect(map, layer);
  read_brings(map, layer);
  read_newest(map, layer);
  read_families(map, layer);
  read_bootstrap(map, layer);
  read_capture(map, layer);
  map.finish();
  check_consistency(layer, context);
  return diagnostics.error_count() == errors_before ? std::optional(std::move(layer)) : std::nullopt;
}

namespace {

/// The file that is the default Containerfile: the one of that name, or the only "Containerfile.NAME" of a lone file.
std::string default_containerfile(const std::map<std::string, std::string>& files) {
  const bool is_lone = files.size() == 1 && layer_name_of_containerfile(files.begin()->first);
  return is_lone ? files.begin()->first : std::string(k_containerfile);
}

std::optional<LayerDefinition> definition_from(std::string name, const std::string& folder,
                                               std::map<std::string, std::string>& files, Diagnostics& diagnostics) {
  if (auto yml = files.extract("layer.yml")) {
    auto source = std::make_shared<const SourceText>(folder + "/layer.yml", std::move(yml.mapped()));
    return parse_layer(std::move(name), std::move(source), diagnostics);
  }
  LayerDefinition layer;
  layer.kind = name == "base" ? Kind::base : Kind::tool;
  layer.name = std::move(name);
  layer.summary = fmt::format("{}/{}", folder, default_containerfile(files));
  return layer;
}

/// Every Containerfile the layer would be built from has to be there.
void check_containerfiles(const LayerDefinition& layer, Diagnostics& diagnostics) {
  const auto report = [&](std::string_view file) {
    diagnostics.add({Severity::error,
                     "missing-file",
                     fmt::format("layer '{}' has no file '{}' in '{}'", layer.name, file, layer.folder),
                     nullptr,
                     {},
                     {}});
  };
  if (layer.families.empty() && !layer.containerfile) {
    report(k_containerfile);
  }
  for (const auto& [family, file] : layer.families) {
    const bool is_there = file == k_containerfile ? layer.containerfile != nullptr : layer.files.contains(file);
    if (!is_there) {
      report(file);
    }
  }
}

/// The pinned downloads, taken out of `files`: whatever the Containerfile uses of them is in its instructions.
Downloads take_downloads(const LayerDefinition& layer, const std::string& folder,
                         std::map<std::string, std::string>& files, Diagnostics& diagnostics) {
  auto text = files.extract("downloads.yml");
  if (!text) {
    return {};
  }
  auto source = std::make_shared<const SourceText>(folder + "/downloads.yml", std::move(text.mapped()));
  auto downloads = parse_downloads(std::move(source), diagnostics).value_or(Downloads());
  std::vector<std::string> args;
  for (const auto& [name, arg] : layer.args) {
    args.push_back(name);
  }
  for (const auto& artefact : downloads.artefacts) {
    if (!artefact.argument.empty() && !layer.args.contains(artefact.argument)) {
      diagnostics.error(downloads.source, artefact.span, "bad-value",
                        fmt::format("the layer '{}' has no argument '{}'", layer.name, artefact.argument),
                        did_you_mean(artefact.argument, args));
    }
  }
  return downloads;
}

} // namespace

std::optional<LayerDefinition> layer_from_files(std::string name, Origin origin, std::string folder,
                                                std::map<std::string, std::string> files, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  if (!is_layer_name(name)) {
    diagnostics.add(
        {Severity::error,
         "bad-name",
         fmt::format("'{}' in '{}' is not a layer name", name, folder),
         nullptr,
         {},
         "names are made of a-z, 0-9, '_' and '-', do not start with '-' and are not 'all', 'none' or 'project'"});
  }
  auto layer = definition_from(std::move(name), folder, files, diagnostics);
  if (!layer) {
    return std::nullopt;
  }
  layer->downloads = take_downloads(*layer, folder, files, diagnostics);
  const auto file = default_containerfile(files);
  if (auto text = files.extract(file)) {
    layer->containerfile = std::make_shared<const SourceText>(folder + "/" + file, std::move(text.mapped()));
  }
  layer->origin = origin;
  layer->folder = std::move(folder);
  layer->files = std::move(files);
  check_containerfiles(*layer, diagnostics);
  return diagnostics.error_count() == errors_before ? std::move(layer) : std::nullopt;
}

} // namespace sheaf::catalogue
