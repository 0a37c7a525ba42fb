// SPDX-License-Identifier: Apache-2.0
#pragma once

// The settings' files as files: what a new sheaf.yml says, and how one is edited without ever leaving a broken one.

#include "app/project.hpp"
#include "base/event.hpp"
#include "detect/detect.hpp"

#include <stop_token>
#include <string>

namespace sheaf::app {

/// A sheaf.yml that changes nothing: what was found and what can be set, as comments.
std::string starter_config(const catalogue::Catalogue& catalogue, const detect::Detection& detection);

/// Makes the file; `invalid` if there is one.
Result<void> create_config(const std::string& path, const std::string& text);

enum class ConfigLevel { project, user };

struct EditedConfig {
  std::string path;
  ConfigLevel level = ConfigLevel::project;
  /// What a file that does not exist begins with.
  std::string starter;
};

/// Lets the user's editor ($VISUAL, $EDITOR, else vi) change a copy, which takes the file's place once it has no
/// mistakes. Else `invalid` with all of them; the copy stays, and the next call goes on with it. False if nothing was
/// changed.
Result<bool> edit_config(const EditedConfig& config, EventSink& events, std::stop_token stop);

} // namespace sheaf::app
