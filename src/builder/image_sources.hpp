// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the files are that the steps of an image read, and digests of them: contexts, stages, images, downloads.

#include "builder/image_builder.hpp"
#include "builder/stage_state.hpp"
#include "builder/step_cache.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "context/known_tree.hpp"
#include "context/selection.hpp"

namespace sheaf::builder {

/// Results of stages by place; a stage that is needed is there.
using StageResults = std::vector<std::optional<StageState>>;

/// Whether it is a folder of the host, which others may write to while we build.
bool is_context(const plan::Source& source);

/// Takes the file or folder `path` with all that is in it, whatever characters its name has.
context::Selection selection_of(const std::string& path);

/// What of a context the key of a step was made from.
struct ContextRead {
  plan::Source from;
  context::Selection selection;
  Digest digest;
};

/// Safe from several threads. What it is made of is borrowed.
class ImageSources {
public:
  ImageSources(const ImageInputs& inputs, store::Store& store, const StageResults& stages, BorrowedSteps& borrowed)
      : m_inputs(inputs), m_store(store), m_stages(stages), m_borrowed(borrowed) {}

  /// Of a stage, an image or nothing; `not_found` names an image that is not there.
  Result<StageState> state(const plan::Source& source) const;
  /// The trees, bottom first; none for an empty source. `not_found` names a context or an image that is not there.
  Result<std::vector<std::string>> lowers(const plan::Source& source) const;
  /// As RUN's mounts show them: a context without what its ignore file excludes. The trees live as long as this value.
  Result<std::vector<std::string>> mounted(const plan::Source& source);
  /// The text of the ignore file that belongs to a context; empty for all else.
  std::string ignore_of(const plan::Source& source) const;
  /// Of what is selected; for a context a walk that reads what it has not seen before, for a stage or an image one read
  /// of a small file once it is known. Owners count where COPY keeps them: not in contexts.
  Result<Digest> digest(const plan::Source& source, const context::Selection& selection);
  /// Of the file or folder `path`, or of all for "/".
  Result<Digest> digest_of_path(const plan::Source& source, const std::string& path);
  /// Whether a context still has what `read` found; fails if it cannot be read any more. Costs a walk.
  Result<bool> is_as_read(const ContextRead& read);

  /// Of stages and images, asked for so far.
  SelectionDigests selections() const;

  /// Remembers what was read for the next build.
  Result<void> save();

private:
  /// Path and ignore file: one folder may be two contexts that leave out different files.
  using FolderView = std::pair<std::string, std::string>;

  Result<const ContextFolder*> context_folder(const plan::Source& source) const;
  Result<std::string> cover_of(const ContextFolder& folder);
  Result<context::KnownTree*> open_folder(const ContextFolder& folder);
  Result<Digest> digest_of_context(const ContextFolder& folder, const context::Selection& selection);
  Result<Digest> find_digest_of_trees(const plan::Source& source, const Digest& name,
                                      const context::Selection& selection);
  Result<Digest> digest_of_trees(const plan::Source& source, const context::Selection& selection);

  const ImageInputs& m_inputs;
  store::Store& m_store;
  const StageResults& m_stages;
  BorrowedSteps& m_borrowed;
  mutable std::mutex m_selections_mutex;
  SelectionDigests m_selections;
  std::mutex m_mutex; ///< guards what follows; held while a context is walked, so that it is walked once
  std::map<FolderView, context::KnownTree> m_folders;
  /// The layers that hide what is ignored.
  std::map<FolderView, std::string> m_covers;
  std::optional<store::Staging> m_staging; ///< of covers
  std::map<Digest, Digest> m_known;        ///< selection of a context to its digest, for this build
};

} // namespace sheaf::builder
