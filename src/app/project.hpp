// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the user's files say: the project folder, its settings, the catalogue. The one place that reads them.

#include "base/diagnostics.hpp"
#include "catalogue/catalogue.hpp"
#include "catalogue/lock_file.hpp"
#include "catalogue/project_config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

/// What the command line says, already split into words.
struct Choices {
  /// Where to look for the project; the current directory if empty.
  std::string directory;
  std::optional<std::string> base;
  std::optional<std::string> agents;
  std::optional<std::string> layers;
  /// Refuse layers that cannot be joined as they are, instead of building one on top of the other.
  bool strict = false;
  /// Ask the registry whether the base's image is a newer one.
  bool pull = false;
  /// Refuse to differ from sheaf.lock.
  bool locked = false;
  /// A level of the settings' `stacks`, in place of what is detected and selected.
  std::optional<std::string> stack;
  /// An image to use as it is.
  std::optional<std::string> image;
  /// sheaf.lock will be written anew: one that cannot be read is none.
  bool replaces_lock = false;
};

struct Project {
  /// Absolute, symlinks resolved: the nearest folder upward that has a sheaf.yml or .sheaf, else the starting folder.
  std::string root;
  std::string name;
  catalogue::ProjectConfig config;
  catalogue::Catalogue catalogue;
  /// Of the choices.
  bool pull = false;
  bool locked = false;
  /// What sheaf.lock says; nothing if there is none.
  std::optional<catalogue::LockFile> lock;
  /// Why it is none although it is there; empty otherwise.
  std::string lock_mistakes;
  std::optional<std::string> stack;
  /// Layers and agents that the choices name; they come on top of a level of `stack`.
  std::vector<std::string> added_layers;
  std::string added_agents;
  /// Caches that the project's own file names. A layer of theirs would stand in the store for that of every other
  /// project, so that they are used only if the user names them, too.
  std::vector<std::string> suggested_caches;
  /// Every path looked at, present or not: the no-op check stats them again.
  std::vector<std::string> inputs;
};

/// Finds the project folder for `directory`. `not_found` if there is no such directory.
Result<std::string> project_root(const std::string& directory);

/// The lock file of the project at `root`.
std::string lock_path(const std::string& root);

/// Reads everything; all mistakes of all files are one `invalid` error. `not_found` if the choices want a lock file and
/// there is none.
Result<Project> load_project(const Choices& choices);

/// `invalid` if a project's own file says how registries are reached: whom to trust is not a project's to say.
Result<void> refuse_registries(const catalogue::ProjectConfig& level);

/// $XDG_CONFIG_HOME/sheaf, or ~/.config/sheaf.
std::string user_config_folder();

} // namespace sheaf::app
