// SPDX-License-Identifier: Apache-2.0
#pragma once

// COPY and ADD: files of a context, of another tree or of the host into a mounted root. Reads beneath the sources only,
// writes inside the root only.

#include "base/result.hpp"
#include "sandbox/spec.hpp"

namespace sheaf::sandbox {

/// Source: Dockerfile reference, COPY and ADD; BuildKit where that is silent. A directory's contents are copied, not
/// the directory itself; what has to be made on the way is of mode 0755 and of `copy.owner`. A directory that is there
/// already takes over what the source's has, the destination itself excepted. Changes this process's umask meanwhile.
Result<void> copy_files(const CopyFiles& copy, const std::string& root);

} // namespace sheaf::sandbox
