// SPDX-License-Identifier: Apache-2.0
#pragma once

// COPY, ADD and FETCH of a plan turned into what the sandbox carries out. Used for layers and for images.

#include "builder/downloads.hpp"
#include "sandbox/spec.hpp"
#include "store/staging.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::builder {

/// Versions of the step's downloads, in the order of its sources; "" for other sources.
using Versions = std::vector<std::string>;

/// The words of `copy`, with what is downloaded fetched and heredocs written into `staging`. Where the other sources
/// are (`tree`, `ignore`, `keep_owners`) is left to the caller.
Result<sandbox::CopyFiles> copy_spec(const plan::CopyStep& copy, const Versions& versions, const Downloads& downloads,
                                     store::Store& store, store::Staging& staging, const std::stop_token& stop);

} // namespace sheaf::builder
