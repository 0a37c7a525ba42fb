// SPDX-License-Identifier: Apache-2.0
#pragma once

// The build checks of the Dockerfile reference: what is no mistake but seldom meant. Works on a parsed file; pure.

#include "base/diagnostics.hpp"
#include "containerfile/check_directive.hpp"
#include "containerfile/file.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace sheaf::containerfile {

/// What the checks need to know beyond the file. All of it may be left empty.
struct LintSettings {
  /// Instead of what the file says: the build argument BUILDKIT_DOCKERFILE_CHECK.
  std::optional<CheckDirective> check;
  /// True for a path of the build context that the ignore file leaves out; without it CopyIgnoredFile finds nothing.
  /// Give none if the ignore file has a '!': what it leaves out is not known then, as in BuildKit.
  std::function<bool(std::string_view path)> is_excluded;
  /// The names in Env of the image that stage number `stage` starts from; nothing if it is not known. Then UndefinedVar
  /// finds nothing in that stage and in those on top of it. Not asked for stages from 'scratch' or another stage.
  std::function<std::optional<std::set<std::string>>(std::size_t stage)> base_variables;
  /// `--build-arg`, for the names of images.
  std::map<std::string, std::string, std::less<>> build_arguments;
};

/// Adds a warning for each finding, with the check's name as its rule; errors if the file says `# check=error=true`.
void lint(const File& file, const LintSettings& settings, Diagnostics& diagnostics);

} // namespace sheaf::containerfile
