// SPDX-License-Identifier: Apache-2.0
#pragma once

// Steps of images that others carried out: how a build asks for them, and how it gets along with steps whose trees are
// not here. Who answers is the caller's word.

#include "store/store.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::builder {

/// A step of a build and what it gave.
struct UsedStep {
  Digest key;
  store::StepRecord record;
  bool operator==(const UsedStep&) const = default;
};

/// Digests of files that were selected in a state, by name of state and selection.
using SelectionDigests = std::map<Digest, Digest>;

/// An empty function means that there is no such thing here. All are called from several threads.
struct StepCache {
  /// What the step of this key gave. Its tree need not be in the store.
  std::function<std::optional<store::StepRecord>(const Digest& key)> find;
  /// The digest of a selection of files, so that a step can be known whose files are not here.
  std::function<std::optional<Digest>(const Digest& selection)> selected;
  /// Brings the trees of steps that `find` gave into the store, under their keys. After an error `find` no longer gives
  /// those that cannot be had; what is wrong has been told.
  std::function<Result<void>(const std::vector<UsedStep>&)> bring;
};

/// The steps of one build that a cache answered for. Their trees are brought when something looks at them, and never if
/// all steps above them are known, too. Safe from several threads.
class BorrowedSteps {
public:
  BorrowedSteps(const StepCache& cache, store::Store& store) : m_cache(cache), m_store(store) {}

  std::optional<store::StepRecord> find(const Digest& key);
  std::optional<Digest> selected(const Digest& selection) const;
  /// From now on the trees are in the store. After an error `is_broken`.
  Result<void> need(const std::vector<store::TreeRef>& trees);

  /// A tree could not be had: the build has to begin again, and will carry that step out.
  bool is_broken() const;
  void begin_again();
  /// Steps that were answered since the build began (again).
  std::size_t count() const;

private:
  const StepCache& m_cache;
  store::Store& m_store;
  mutable std::mutex m_mutex;         ///< guards what follows; held while trees are brought
  std::map<Digest, UsedStep> m_steps; ///< by key
  std::vector<UsedStep> m_missing;
  bool m_broken = false;
};

} // namespace sheaf::builder
