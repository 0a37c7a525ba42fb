// SPDX-License-Identifier: Apache-2.0
#pragma once

// COPY, ADD and FETCH -> CopyStep: words expanded, sources told apart, flags checked.

#include "containerfile/instructions.hpp"
#include "plan/stage_setting.hpp"

namespace sheaf::plan {

/// `sources` holds the words first, in their order, then the heredocs.
struct PlannedCopy {
  CopyStep step;
  /// As BuildKit writes it, without its mark at the end.
  std::string history;
};

/// Mistakes are reported, and the result is not to be used then. `directory` is the working directory.
PlannedCopy plan_copy(const containerfile::Copy& copy, const std::string& directory, const StageSetting& setting,
                      StageWords& words);
PlannedCopy plan_add(const containerfile::Add& add, const std::string& directory, StageWords& words);
PlannedCopy plan_fetch(const containerfile::Fetch& fetch, const std::string& directory, StageWords& words);

} // namespace sheaf::plan
