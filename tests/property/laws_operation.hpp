// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the steps of a generated layer do to a root: files, directories, links, and the shared databases as packages,
// account commands and update-alternatives would change them. Parameters are small numbers, so that layers meet often.

#include <random>
#include <string>
#include <vector>

#include "property/laws_root.hpp"

namespace sheaf::laws {

enum class Action {
  write,
  append,
  edit_line,
  delete_line,
  remove,
  rename,
  chmod,
  chown,
  set_attribute,
  hard_link,
  symlink,
  make_directory,
  directory_to_file,
  clear_directory,
  install,
  uninstall,
  divert,
  stat_override,
  add_user,
  add_member,
  edit_user,
  add_choice,
  choose,
  remove_choice,
  add_shell,
  set_variable,
  count, ///< no action
};

/// A step sees its layer's needs and base when the layer is built. What it decides then, it also does in a sequential
/// build, where siblings are there as well: like a maintainer, it means what it saw.
struct Operation {
  Action action = Action::write;
  unsigned a = 0;
  unsigned b = 0;
  /// Unique in its stack, for text nobody else writes.
  std::string mark;

  /// Decided when the layer is built alone.
  bool acts = true;
  std::vector<std::string> seen = {};
  std::string seen_text = {};
};

Operation random_operation(std::mt19937& random, std::string mark);
/// "edit_line 3 1".
std::string to_string(const Operation& operation);
/// May the operation delete what belongs to the base?
bool deletes(const Operation& operation);

/// Carries out a step of a layer that is built on `view`, and notes in it what it decided.
void build(Operation& operation, Workbench& bench, const Root& view);
/// Carries it out once more on another root, as decided.
void repeat(const Operation& operation, Workbench& bench);

/// `variant` decides what the base has of optional files.
Root base_root(unsigned variant);

} // namespace sheaf::laws
