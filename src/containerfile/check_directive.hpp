// SPDX-License-Identifier: Apache-2.0
#pragma once

// `# check=skip=A,B;error=true;experimental=C`: which build checks a file wants, and how serious they are.

#include "base/diagnostics.hpp"
#include "containerfile/lexer.hpp"

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace sheaf::containerfile {

struct CheckDirective {
  bool skip_all = false;
  std::set<std::string, std::less<>> skip;
  bool experimental_all = false;
  std::set<std::string, std::less<>> experimental;
  /// What is found fails the build.
  bool error = false;
};

/// Reads the value of the directive, or of the build argument BUILDKIT_DOCKERFILE_CHECK. Reports options that do not
/// exist; a check that does not exist is a warning.
CheckDirective parse_check(const std::shared_ptr<const SourceText>& source, const Word& value,
                           Diagnostics& diagnostics);

/// All build checks by their names, in the order of the reference.
std::span<const std::string> build_checks();

} // namespace sheaf::containerfile
