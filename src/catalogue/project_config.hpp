// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `sheaf.yml` (project) and `config.yml` (user) may say, and how the levels merge: flag, environment, project,
// user, built in. Every value remembers where it was written. Used by `app/`; reading the files is done there.

#include "base/diagnostics.hpp"
#include "base/error.hpp"
#include "base/source_text.hpp"
#include "catalogue/layer_definition.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::catalogue {

/// What the layer of a project's snippet is called; no other layer is.
inline constexpr std::string_view k_project_layer = "project";

/// Instructions of the project's own layer.
struct Snippet {
  enum class Form { inline_text, file };
  Form form = Form::inline_text;
  /// The instructions, or the path of the file that holds them, relative to the folder of `sheaf.yml`.
  std::string text;
  bool operator==(const Snippet&) const = default;
};

/// One level of a vertical stack: what the levels before it have, and its own.
struct StackLevel {
  /// May be the tag of an image.
  std::string name;
  std::vector<std::string> layers;
  /// As for `--agents`; a list in the file is joined with commas. Empty: none of its own.
  std::string agents;
  bool operator==(const StackLevel&) const = default;
};

/// How to reach a registry; only `config.yml` may say it.
struct RegistrySettings {
  /// Plain HTTP, or certificates that nobody vouches for.
  bool insecure = false;
  /// Asked before the registry itself: "host[:port][/prefix]".
  std::vector<std::string> mirrors;
  /// Paths of PEM files; empty where the system's are meant.
  std::string authorities;
  std::string client_certificate;
  std::string client_key;
  bool operator==(const RegistrySettings&) const = default;
};

/// One level of settings, or all levels merged. What is not set is absent.
struct ProjectConfig {
  /// The name of a layer of kind base, or an image (see names_image).
  std::optional<std::string> base;
  std::optional<Family> family;
  /// Used as it is, instead of layers.
  std::optional<std::string> image;
  std::optional<std::vector<std::string>> layers;
  /// A selection as for `--agents`: "a,b", "all", "all,-x", "none". A list in the file is joined with commas.
  std::optional<std::string> agents;
  /// By layer, then by argument. Merged one by one.
  std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> args;
  /// Merged one by one.
  std::map<std::string, std::string, std::less<>> env;
  /// "source:target" or "source:target:ro"; the target is absolute.
  std::optional<std::vector<std::string>> mounts;
  /// "[[address:]host:]container[/tcp|/udp]".
  std::optional<std::vector<std::string>> ports;
  /// "all", "none", a number, or device names.
  std::optional<std::string> gpus;
  std::optional<std::string> repo;
  std::optional<std::string> branch;
  std::optional<Snippet> snippet;
  /// A folder, relative to that of the file, or the address of a git repository.
  std::optional<std::string> dotfiles;
  std::optional<std::vector<LayerTest>> tests;
  /// The lowest first, names unique. The origin of each is that of "stacks.NAME".
  std::optional<std::vector<StackLevel>> stacks;
  std::optional<std::vector<std::string>> caches;
  /// How old a volatile layer may become: "never", or hours, days or weeks: "12h", "7d", "2w".
  std::optional<std::string> refresh;
  /// By host. Merged one by one.
  std::map<std::string, RegistrySettings, std::less<>> registries;

  /// Where each value that is set was written, by key: "base", "env.EDITOR", "args.python.version". From files it is
  /// "sheaf.yml:3"; whoever fills a level from flags or the environment puts "--base" or "SHEAF_BASE" here.
  std::map<std::string, std::string, std::less<>> origins;
};

/// How an image begins that is read from a file: an OCI layout or a docker archive.
inline constexpr std::string_view k_layout_scheme = "oci-layout://";
/// Does this `base` name an image and not a layer? What has a registry, a tag or a digest does.
bool names_image(std::string_view base);
/// Why it is no image's name; nothing if it is one.
std::optional<Error> image_name_mistake(std::string_view name);

/// The settings in `source`; an empty file sets nothing. Nothing if there is a mistake; all are in `diagnostics`.
std::optional<ProjectConfig> parse_config(std::shared_ptr<const SourceText> source, Diagnostics& diagnostics);

/// One level of all `levels`, the strongest first. A value set at a stronger level replaces the weaker one as a whole,
/// but `args`, `env` and `registries` merge entry by entry. Origins go along.
ProjectConfig merge(std::span<const ProjectConfig> levels);

/// The seconds that `refresh` stands for; nothing for "never".
std::optional<std::int64_t> refresh_seconds(const ProjectConfig& config);

/// One line of `sheaf config show`.
struct ConfigValue {
  std::string key;
  std::string value;
  std::string origin;
  bool operator==(const ConfigValue&) const = default;
};

/// All values that are set, in the order of the fields above.
std::vector<ConfigValue> show(const ProjectConfig& config);

} // namespace sheaf::catalogue
