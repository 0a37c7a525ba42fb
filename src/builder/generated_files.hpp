// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes the files that are a function of the whole composed root (generate/) and puts them into a join layer. Natively
// where we can; else by the distribution's own tools, all in one sandbox, with the result kept in the store under the
// hash of what it depends on. See docs/concepts/generated-files.md.

#include "base/event.hpp"
#include "sandbox/runtime.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::builder {

/// A composition whose join layer is being made.
struct GeneratorInput {
  /// In canonical order, the base first.
  const std::vector<store::StoredLayer>& layers;
  /// Texts of the layers' inventories, in that order; the base's is not looked at.
  std::vector<std::string_view> inventories;
  /// Files that the join merged.
  const std::map<std::string, std::string, std::less<>>& merged;
  /// Trees to mount, bottom first, without the join layer.
  std::vector<std::string> lowers;
  /// The join layer's tree, which holds the merged files already and receives the generated ones.
  std::string join_tree;
};

/// Who does the work.
struct GeneratorTools {
  store::Store& store;
  store::Staging& staging;
  sandbox::Runtime& runtime;
  EventSink& events;
};

/// Runs every generator whose sources some layer above the base changed. `failed_step` names the generator, its command
/// and its exit code, and carries the last lines.
Result<void> add_generated_files(const GeneratorInput& input, const GeneratorTools& tools, std::stop_token stop);

} // namespace sheaf::builder
