// SPDX-License-Identifier: Apache-2.0
#pragma once

// A build context as RUN --mount=type=bind shows it: without what its ignore file excludes. Nothing is copied: a layer
// of whiteouts lies over the folder.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <string>

#include "context/ignore_patterns.hpp"

namespace sheaf::builder {

/// Fills the empty folder `layer` with an overlay's layer that hides what `ignore` excludes of the tree at `context`.
/// An excluded folder with an exception in it stays, with the exceptions alone. One walk; excluded folders are not
/// entered unless something in them may be an exception.
Result<void> hide_ignored(const os::Fd& context, const context::IgnorePatterns& ignore, const std::string& layer);

} // namespace sheaf::builder
