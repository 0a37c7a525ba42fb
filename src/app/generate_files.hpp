// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes the stack of a project as Dockerfiles for other builders into a folder of their own.

#include "app/project_plan.hpp"

#include <map>
#include <string>
#include <vector>

namespace sheaf::app {

/// Where the files go if nobody says, relative to the project.
inline constexpr const char* k_generated_folder = ".sheaf/build";

struct GeneratedFiles {
  /// Absolute.
  std::string directory;
  /// Relative, sorted.
  std::vector<std::string> files;
};

/// Plans the project and writes L0.Dockerfile, L1.cli.Dockerfile, L2.Dockerfile and the files that they copy.
/// `directory`: empty for the project's own. Errors as of `want`, `equivalent_files` and `replace_folder`.
Result<GeneratedFiles> generate(const Choices& choices, const std::string& directory, const Session& session);

/// Puts a folder with exactly these files (relative path to content; what starts with "#!" is executable) at
/// `directory`, at one moment. A folder that is there is replaced if it is empty or as such a call left it; else it is
/// `conflict`, which names the file that is somebody's own.
Result<void> replace_folder(const std::string& directory, const std::map<std::string, std::string>& files);

} // namespace sheaf::app
