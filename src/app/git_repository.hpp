// SPDX-License-Identifier: Apache-2.0
#pragma once

// Git repositories as sources of files, by git(1): ADD of a repository, and a repository as build context.

#include "base/result.hpp"
#include "plan/step.hpp"

#include <stop_token>
#include <string>

namespace sheaf::app {

/// The commit that the source's ref names now, 40 hex digits. `not_found` if there is no such ref; a ref that is a
/// whole commit is taken as it is.
Result<std::string> commit_of(const plan::GitSource& source, std::stop_token stop);

/// Fills the empty `directory` with the source's folder at its ref, submodules included; ".git" only if the source
/// keeps it. `conflict` if the commit is not the one of the source's checksum.
Result<void> check_out(const plan::GitSource& source, const std::string& directory, std::stop_token stop);

} // namespace sheaf::app
