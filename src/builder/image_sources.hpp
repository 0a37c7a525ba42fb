// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the files are that the steps of an image read, and digests of them: contexts, stages, images, downloads.

#include "builder/image_builder.hpp"
#include "builder/stage_state.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "context/known_tree.hpp"
#include "context/selection.hpp"

namespace sheaf::builder {

/// Results of stages by place; a stage that is needed is there.
using StageResults = std::vector<std::optional<StageState>>;

/// Safe from several threads. What it is made of is borrowed.
class ImageSources {
public:
  ImageSources(const ImageInputs& inputs, store::Store& store, const StageResults& stages)
      : m_inputs(inputs), m_store(store), m_stages(stages) {}

  /// Of a stage, an image or nothing; `not_found` names an image that is not there.
  Result<StageState> state(const plan::Source& source) const;
  /// The trees, bottom first; none for an empty source. `not_found` names a context or an image that is not there.
  Result<std::vector<std::string>> lowers(const plan::Source& source) const;
  /// The text of the ignore file that belongs to a context; empty for all else.
  std::string ignore_of(const plan::Source& source) const;
  /// Of what is selected; for a context a walk that reads what it has not seen before, for a stage or an image one read
  /// of a small file once it is known. Owners count where COPY keeps them: not in contexts.
  Result<Digest> digest(const plan::Source& source, const context::Selection& selection);
  /// Of the file or folder `path`, or of all for "/".
  Result<Digest> digest_of_path(const plan::Source& source, const std::string& path);

  /// What the source has now, for the key.
  Result<std::string> version(const plan::HttpSource& source, std::stop_token stop) const;
  Result<std::string> version(const plan::GitSource& source, std::stop_token stop) const;
  /// The file or directory in the store's cache; downloaded if that version is not there. `corrupt` if the content does
  /// not have the checksum.
  Result<std::string> fetch(const plan::HttpSource& source, const std::string& version, std::stop_token stop);
  Result<std::string> fetch(const plan::GitSource& source, const std::string& version, std::stop_token stop);

  /// Remembers what was read for the next build.
  Result<void> save();

private:
  Result<const ContextFolder*> context_folder(const plan::Source& source) const;
  Result<context::KnownTree*> open_folder(const ContextFolder& folder);
  Result<Digest> digest_of_context(const ContextFolder& folder, const context::Selection& selection);
  Result<Digest> digest_of_trees(const plan::Source& source, const context::Selection& selection);

  const ImageInputs& m_inputs;
  store::Store& m_store;
  const StageResults& m_stages;
  std::mutex m_mutex; ///< guards the two maps; held while a context is walked, so that it is walked once
  std::map<std::string, context::KnownTree> m_folders; ///< by path
  std::map<Digest, Digest> m_known;                    ///< selection of a context to its digest, for this build
};

} // namespace sheaf::builder
