// SPDX-License-Identifier: Apache-2.0
#pragma once

// The user's dotfiles: what `dotfiles:` names, a folder or a git repository, becomes the last layer of a stack and
// lands in the home of 'dev'. It is built on the base alone, so that it stays whatever else is selected.

#include "app/project.hpp"
#include "base/result.hpp"
#include "catalogue/layer_definition.hpp"

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::app {

/// The layer's name in stacks.
inline constexpr std::string_view k_dotfiles_layer = "dotfiles";

struct Dotfiles {
  /// Null without `dotfiles:`. Has to live as long as the stack it is put into.
  std::shared_ptr<const catalogue::LayerDefinition> layer;
  /// "dotfiles, sheaf.yml:3"
  std::string reason;
  /// Every path looked at; none for a repository.
  std::vector<std::string> inputs;
};

/// Files of one home by relative path: what they hold, and whether they are executable.
struct HomeFile {
  std::string content;
  bool is_executable = false;
};
using HomeFiles = std::map<std::string, HomeFile>;

/// The layer that puts these files into the home.
std::shared_ptr<const catalogue::LayerDefinition> dotfiles_layer(const HomeFiles& files, std::string origin);

/// Is it the address of a git repository, and not a folder?
bool names_repository(std::string_view dotfiles);

/// Reads the folder or asks the repository for the commit its branch is at; one whose address ends in '#' and a whole
/// commit is not asked. `.git` is left out. `not_found` if there is no such folder or branch; `denied` if a project's
/// file names a folder outside of the project; `invalid` for links, devices, and for more than 10 MB or 2,000 files.
Result<Dotfiles> find_dotfiles(const Project& project, std::stop_token stop);

} // namespace sheaf::app
