// SPDX-License-Identifier: Apache-2.0
#pragma once

// The downloads that builds share, each shown to a build as a private overlay: packages of all layers, and the package
// lists of one base, which are one generation. Used by every kind of build: of a layer, of a chain, for comparison.

#include "base/digest.hpp"
#include "builder/step_runner.hpp"
#include "sandbox/spec.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::builder {

/// The folder in the store with the package lists of the base of this content.
std::string lists_of(const ContentKey& base);

class PackageCaches {
public:
  /// `staging` lies on the store's file system.
  PackageCaches(store::Store& store, store::Staging& staging) : m_store(store), m_staging(staging) {}

  /// For a bootstrapped base: downloaded packages, and the lists in the directory `lists`.
  Result<void> open_for_base(const std::string& lists);
  /// For a base made of an image, if it has apt: `bench` has its trees as lowers. Fetches the lists into the directory
  /// `lists`; what the image came with may be of any age, and is no part of the base. True if there are lists now.
  Result<bool> open_for_image(const std::string& lists, Workbench bench, sandbox::Runtime& runtime, BuildLog& log,
                              EventSink& events, std::stop_token stop);
  /// For a layer on `base`: downloaded packages and the base's lists, if the base has apt.
  Result<void> open_on(const store::StoredLayer& base);
  /// The lists of a base that came without them, or lost them: fetched once, for all its layers. `bench` has the lowers
  /// to fetch them with; its upper and caches do not matter.
  Result<void> restore_lists(const ContentKey& base, Workbench bench, sandbox::Runtime& runtime, BuildLog& log,
                             EventSink& events, std::stop_token stop);
  /// Keeps what was downloaded for other builds.
  Result<void> keep_downloads();

  const std::vector<sandbox::OverlayMount>& mounts() const { return m_mounts; }

private:
  Result<void> fetch_lists(const std::string& to, Workbench bench, sandbox::Runtime& runtime, BuildLog& log,
                           EventSink& events, std::stop_token stop);
  Result<std::string> snapshot(const std::string& shared);
  Result<void> add(const std::string& shared, const std::string& target);

  store::Store& m_store;
  store::Staging& m_staging;
  /// Packages first, then lists if there are any.
  std::vector<sandbox::OverlayMount> m_mounts;
};

} // namespace sheaf::builder
