// SPDX-License-Identifier: Apache-2.0
#pragma once

// COPY: files of a context into a mounted root. Reads beneath the context only, writes inside the root only.

#include "base/result.hpp"
#include "sandbox/spec.hpp"

namespace sheaf::sandbox {

/// Source: Dockerfile reference, COPY. A directory's contents are copied, not the directory itself; several sources
/// need a destination that ends in a slash.
Result<void> copy_files(const CopyFiles& copy, const std::string& root);

} // namespace sheaf::sandbox
