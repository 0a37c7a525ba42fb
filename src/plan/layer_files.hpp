// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which of a layer's own files a step reads.

#include "plan/step.hpp"

#include <string>
#include <vector>

namespace sheaf::plan {

/// True if `pattern` (as of `PathSource`) names `path`, a folder it is in, or everything.
bool names_file(const std::string& pattern, const std::string& path);
/// Paths of the layer's own files that the steps read, as of `PathSource`: sorted, no duplicates.
std::vector<std::string> files_named_by(const std::vector<Step>& steps);
/// True if `step` copies `path` or shows it to a command.
bool reads_file(const Step& step, const std::string& path);

} // namespace sheaf::plan
