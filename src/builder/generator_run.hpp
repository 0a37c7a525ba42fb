// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs generators' tools in the composed root and keeps what they made in the store.

#include "builder/generated_files.hpp"
#include "layer/capture.hpp"

#include "generate/generator.hpp"

namespace sheaf::builder {

struct GeneratorTask {
  const generate::Generator* generator = nullptr;
  /// Of all that its result depends on.
  Digest key;
};

/// The root in which tools run.
struct GeneratorRoot {
  /// Bottom first, the join layer's tree on top.
  const std::vector<std::string>& lowers;
  /// The same, merged.
  const layer::ParentView& view;
  std::int64_t epoch = 0;
};

/// Runs the tools of `tasks` one after another, without network, and commits each one's outputs.
Result<void> run_generators(const std::vector<GeneratorTask>& tasks, const GeneratorRoot& root,
                            const GeneratorTools& tools, std::stop_token stop);

} // namespace sheaf::builder
