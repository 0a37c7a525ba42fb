// SPDX-License-Identifier: Apache-2.0
#pragma once

// A layer definition: the recipe of one layer, as written in `layer.yml` and its `Containerfile`. Values and pure
// parsers from text; reading folders is done by `app/`. Used by the catalogue, by `resolve/` and by `plan/`.

#include "base/capture_rule.hpp"
#include "base/diagnostics.hpp"
#include "base/source_text.hpp"
#include "catalogue/artefact.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::catalogue {

/// In stack order.
enum class Kind { base, toolchain, tool, agent, project };
/// Where a definition comes from; a later one wins by name.
enum class Origin { builtin, user, project };
/// Families of distributions, by package format.
enum class Family { deb, rpm, apk };
enum class ArgType { string, integer, boolean, version };

std::string_view to_string(Kind kind);
std::string_view to_string(Origin origin);
std::string_view to_string(Family family);
std::string_view to_string(ArgType type);
std::optional<Family> family_from(std::string_view text);

struct EnvVariable {
  std::string name;
  std::string value;
  bool operator==(const EnvVariable&) const = default;
};

/// A value the user may choose.
struct ArgDefinition {
  ArgType type = ArgType::string;
  std::optional<std::string> default_value;
  /// Empty: any value of the type.
  std::vector<std::string> allowed;
  std::string description;
  /// What files call some of the values: "lts/iron" is "20".
  std::map<std::string, std::string, std::less<>> names = {};
};
using Args = std::map<std::string, ArgDefinition, std::less<>>;

/// Why `value` does not fit, as the end of "the value …"; nothing if it fits.
std::optional<std::string> arg_mistake(const ArgDefinition& definition, std::string_view value);
/// The name under which a Containerfile sees the argument: "node-version" is NODE_VERSION.
std::string build_arg_name(std::string_view arg);

/// A command that must succeed in the composed environment.
struct LayerTest {
  /// For a shell.
  std::string command;
  /// Part of the output; empty: the exit status alone counts.
  std::string expect;
  bool operator==(const LayerTest&) const = default;
};

/// A file that calls for the layer, or says which version of it is wanted.
struct DetectRule {
  /// A file name, or a glob over it; with a '/', over the path below the project's root.
  std::string file;
  /// Where in the file the wanted version stands, for example "engines.node" or "first-line"; may be empty.
  std::string version;
  /// The version there means that one or any newer.
  bool is_minimum = false;
  /// False: the file says the version, but does not call for the layer by itself.
  bool calls = true;
};

/// How a base is made from a distribution's own packages.
struct Bootstrap {
  /// "mmdebstrap", the only one so far.
  std::string tool;
  std::string suite;
  std::vector<std::string> components;
  /// As for mmdebstrap(1), --variant.
  std::string variant;
  std::vector<std::string> packages;
  /// Empty: the mirror of the host.
  std::string mirror;
};

/// Where a definition names another layer, so that a message can point at it.
struct Mention {
  /// "needs", "after", "conflicts" or "replaces".
  std::string key;
  std::string layer;
  Span span;
};

struct LayerDefinition {
  std::string name;
  std::string summary;
  Kind kind = Kind::tool;
  std::vector<std::string> needs;
  /// Order only: these come first if they are in the stack.
  std::vector<std::string> after;
  std::vector<std::string> conflicts;
  std::vector<std::string> replaces;
  Args args;
  /// In the order written, names unique.
  std::vector<EnvVariable> env;
  std::vector<std::uint16_t> ports;
  /// Paths that are mounted, never baked in; absolute or below "~/".
  std::vector<std::string> credentials;
  /// Paths that outlive a workspace; absolute or below "~/".
  std::vector<std::string> persistent;
  /// Domain names the layer talks to at run time.
  std::vector<std::string> egress;
  std::vector<std::string> command;
  std::vector<LayerTest> tests;
  /// Of rules about versions an earlier one counts more.
  std::vector<DetectRule> detect;
  /// The version that is installed, as far as it is fixed ("3.11"), of a layer without an argument `version`; may be
  /// empty.
  std::string brings;
  /// Rebuilt on demand because it follows a moving upstream.
  bool is_volatile = false;
  /// For a shell in the environment of what the layer needs: prints the newest value of the argument `version`. May be
  /// empty.
  std::string newest;
  /// The file in the folder to build for each family, usually "Containerfile". Empty: the layer fits any family.
  std::map<Family, std::string> families;
  /// Rows of the capture table, in the order written; they come before the built-in ones.
  std::vector<CaptureRule> capture;
  /// Only for kind base.
  std::optional<Bootstrap> bootstrap;
  /// Of `downloads.yml`; empty if there is none.
  Downloads downloads;

  Origin origin = Origin::builtin;
  /// For messages, for example "~/.config/sheaf/layers/python".
  std::string folder;
  /// The text of `layer.yml`; null if the layer is a lone Containerfile.
  std::shared_ptr<const SourceText> definition;
  /// The default Containerfile; null if every family has its own.
  std::shared_ptr<const SourceText> containerfile;
  /// All other files of the folder by relative path, the Containerfiles of families included.
  std::map<std::string, std::string> files;
  std::vector<Mention> mentions;
};

/// One or more of [a-z0-9_-], not starting with '-', and neither "all" nor "none", which mean selections.
bool is_layer_name(std::string_view name);
/// DEF-1: "Containerfile" is "base", "Containerfile.NAME" the lower-cased NAME with '-' for each character outside
/// [a-z0-9_-]. Nothing if `file` is no such name.
std::optional<std::string> layer_name_of_containerfile(std::string_view file);

/// The definition in `yml` (without files and origin). Nothing if it has a mistake; all of them are in `diagnostics`.
std::optional<LayerDefinition> parse_layer(std::string name, std::shared_ptr<const SourceText> yml,
                                           Diagnostics& diagnostics);

/// The layer made of the files of its folder: `layer.yml`, `downloads.yml`, `Containerfile` and what it copies, by
/// relative path.
/// Without `layer.yml`, a lone `Containerfile` or `Containerfile.NAME` is a layer of kind tool (base, if it is called
/// so). `folder` is for messages. Nothing if there is a mistake; all of them are in `diagnostics`.
std::optional<LayerDefinition> layer_from_files(std::string name, Origin origin, std::string folder,
                                                std::map<std::string, std::string> files, Diagnostics& diagnostics);

} // namespace sheaf::catalogue
