// SPDX-License-Identifier: Apache-2.0
#pragma once

// The project's own layer: what `snippet:` says, on top of all that was selected. Its COPY takes files of the project's
// folder; only what its instructions name is read.

#include "app/project_plan.hpp"

#include <string>

namespace sheaf::app {

/// How much of a project its layer may take.
struct ProjectFileLimits {
  std::size_t files = 10000;
  std::uint64_t bytes = 100'000'000;
};

/// Puts the layer at the end of `wanted.stack`; does nothing without a snippet. The foundation must be laid. Mistakes
/// of its instructions are found later, when the stack is planned. `not_found` if the snippet's file is missing;
/// `denied` if it is outside of where it is named; `invalid` if its files are too many, or not plain ones.
Result<void> add_project_layer(Wanted& wanted, const Project& project, const ProjectFileLimits& limits = {});

/// What instructions of a snippet become: a FROM in front, unless they have one.
std::string containerfile_of_snippet(const std::string& snippet);

/// `diagnostics` with all that is about the text `inner` (as of containerfile_of_snippet) pointing into `outer`, the
/// file that the snippet is written in, which begins there on line `first` (1-based).
Diagnostics placed_in(const Diagnostics& diagnostics, const SourceText& inner,
                      const std::shared_ptr<const SourceText>& outer, std::size_t first);
/// The same for the snippet of `wanted`.
Diagnostics in_place(const Diagnostics& diagnostics, const Wanted& wanted);

} // namespace sheaf::app
