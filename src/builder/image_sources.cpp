// SPDX-License-Identifier: Apache-2.0
#include "builder/image_sources.hpp"

#include "base/source_text.hpp"
#include "builder/context_view.hpp"
#include "layer/file_digest.hpp"
#include "layer/parent_view.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include "context/content_digest.hpp"

namespace sheaf::builder {
namespace {

using plan::Source;

Digest name_of(std::string_view kind, const ContextFolder& where, const context::Selection& selection) {
  Sha256 hash;
  hash.field(kind).field(where.path).field(where.ignore).field(selection.parents ? "parents" : "");
  for (const auto& source : selection.sources) {
    hash.field(source);
  }
  hash.field("but");
  for (const auto& pattern : selection.excludes) {
    hash.field(pattern);
  }
  return hash.finish();
}

/// A path as a pattern that matches it alone.
std::string literal(const std::string& path) {
  std::string pattern;
  for (const char c :
       path.substr(path.find_first_not_of('/') == std::string::npos ? path.size() : path.find_first_not_of('/'))) {
    pattern += std::string_view("*?[\\").find(c) != std::string_view::npos ? std::string("\\") + c : std::string(1, c);
  }
  return pattern.empty() ? "." : pattern;
}

} // namespace

context::Selection selection_of(const std::string& path) { return {{literal(path)}, {}, false}; }

bool is_context(const plan::Source& source) {
  return source.kind == Source::Kind::context || source.kind == Source::Kind::named_context;
}

Result<const ContextFolder*> ImageSources::context_folder(const Source& source) const {
  if (source.kind == Source::Kind::context) {
    if (!m_inputs.context) {
      return Error(ErrorCode::not_found, "this build has no context to read files from")
          .with_hint("give a folder: sheaf build .");
    }
    return &*m_inputs.context;
  }
  const auto found = m_inputs.named_contexts.find(source.name);
  if (found == m_inputs.named_contexts.end()) {
    return Error(ErrorCode::not_found, fmt::format("there is no build context '{}'", source.name))
        .with_hint(fmt::format("give one with --build-context {}=FOLDER", source.name));
  }
  return &found->second;
}

Result<StageState> ImageSources::state(const Source& source) const {
  if (source.kind == Source::Kind::stage) {
    return *m_stages.at(source.stage);
  }
  if (source.kind == Source::Kind::nothing) {
    return StageState();
  }
  const auto found = m_inputs.images.find(source.name);
  if (found == m_inputs.images.end()) {
    return Error(ErrorCode::not_found, fmt::format("there is no image '{}'", source.name));
  }
  return StageState::of(found->second.trees);
}

Result<std::vector<std::string>> ImageSources::lowers(const Source& source) const {
  if (is_context(source)) {
    SHEAF_TRY_ASSIGN(const auto* folder, context_folder(source));
    return std::vector<std::string>{folder->path};
  }
  SHEAF_TRY_ASSIGN(const auto what, state(source));
  SHEAF_TRY(m_borrowed.need(what.trees()));
  std::vector<std::string> paths;
  for (const auto& tree : what.trees()) {
    paths.push_back(m_store.tree_path(tree));
  }
  return paths;
}

Result<std::string> ImageSources::cover_of(const ContextFolder& folder) {
  if (const auto known = m_covers.find({folder.path, folder.ignore}); known != m_covers.end()) {
    return known->second;
  }
  const auto doing = fmt::format("applying the ignore file to '{}'", folder.path);
  if (!m_staging) {
    SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
    m_staging.emplace(std::move(staging));
  }
  SHEAF_TRY_ASSIGN(auto cover, m_staging->fresh_directory("ignored-"));
  SHEAF_TRY_ASSIGN(const auto tree, os::open(folder.path, O_RDONLY | O_DIRECTORY).context(doing));
  Diagnostics diagnostics; // whoever read the file has told of its mistakes
  const auto ignore =
      context::IgnorePatterns::parse(std::make_shared<const SourceText>(".dockerignore", folder.ignore), diagnostics);
  SHEAF_TRY(hide_ignored(tree, ignore, cover).context(doing));
  m_covers.emplace(FolderView(folder.path, folder.ignore), cover);
  return cover;
}

Result<std::vector<std::string>> ImageSources::mounted(const Source& source) {
  SHEAF_TRY_ASSIGN(auto trees, lowers(source));
  if (!is_context(source)) {
    return trees;
  }
  SHEAF_TRY_ASSIGN(const auto* folder, context_folder(source));
  if (folder->ignore.empty()) {
    return trees;
  }
  const std::scoped_lock lock(m_mutex);
  SHEAF_TRY_ASSIGN(auto cover, cover_of(*folder));
  trees.push_back(std::move(cover));
  return trees;
}

std::string ImageSources::ignore_of(const Source& source) const {
  const auto folder = is_context(source) ? context_folder(source) : Result<const ContextFolder*>(nullptr);
  return folder && *folder != nullptr ? (*folder)->ignore : std::string();
}

Result<Digest> ImageSources::digest_of_path(const Source& source, const std::string& path) {
  if (path == "/" && !is_context(source)) {
    SHEAF_TRY_ASSIGN(const auto what, state(source));
    return what.digest();
  }
  return digest(source, selection_of(path));
}

Result<Digest> ImageSources::digest(const Source& source, const context::Selection& selection) {
  if (!is_context(source)) {
    return digest_of_trees(source, selection);
  }
  SHEAF_TRY_ASSIGN(const auto* folder, context_folder(source));
  return digest_of_context(*folder, selection);
}

Result<context::KnownTree*> ImageSources::open_folder(const ContextFolder& folder) {
  if (const auto known = m_folders.find({folder.path, folder.ignore}); known != m_folders.end()) {
    return &known->second;
  }
  SHEAF_TRY_ASSIGN(const auto memories, m_store.folder("cache/contexts"));
  SHEAF_TRY_ASSIGN(auto opened, context::KnownTree::open(folder.path, folder.ignore,
                                                         fmt::format("{}/{}", memories, Digest::of(folder.path).hex()))
                                    .context(fmt::format("opening the build context '{}'", folder.path)));
  return &m_folders.emplace(FolderView(folder.path, folder.ignore), std::move(opened)).first->second;
}

Result<Digest> ImageSources::digest_of_context(const ContextFolder& folder, const context::Selection& selection) {
  const auto name = name_of("context", folder, selection);
  const std::scoped_lock lock(m_mutex);
  if (const auto known = m_known.find(name); known != m_known.end()) {
    return known->second;
  }
  SHEAF_TRY_ASSIGN(auto* opened, open_folder(folder));
  SHEAF_TRY_ASSIGN(const auto digest, opened->digest(selection));
  m_known.emplace(name, digest);
  return digest;
}

Result<bool> ImageSources::is_as_read(const ContextRead& read) {
  SHEAF_TRY_ASSIGN(const auto* folder, context_folder(read.from));
  const std::scoped_lock lock(m_mutex);
  SHEAF_TRY_ASSIGN(auto* opened, open_folder(*folder));
  SHEAF_TRY_ASSIGN(const auto digest, opened->digest(read.selection));
  m_known.insert_or_assign(name_of("context", *folder, read.selection), digest);
  return digest == read.digest;
}

/// The state says all of the content, so the digest of a selection is looked for once per state.
Result<Digest> ImageSources::digest_of_trees(const Source& source, const context::Selection& selection) {
  SHEAF_TRY_ASSIGN(const auto what, state(source));
  const auto name = name_of("sheaf-selection 2", {what.digest().hex(), ""}, selection);
  SHEAF_TRY_ASSIGN(const auto digest, find_digest_of_trees(source, name, selection));
  const std::scoped_lock lock(m_selections_mutex);
  m_selections.emplace(name, digest);
  return digest;
}

Result<Digest> ImageSources::find_digest_of_trees(const Source& source, const Digest& name,
                                                  const context::Selection& selection) {
  SHEAF_TRY_ASSIGN(const auto cache, m_store.folder("cache/selections"));
  const auto file = fmt::format("{}/{}", cache, name.hex());
  if (const auto text = os::read_file(file)) {
    if (const auto known = Digest::parse(*text)) {
      return *known;
    }
  }
  if (const auto known = m_borrowed.selected(name)) { // not kept: it is the word of a cache
    return *known;
  }
  SHEAF_TRY_ASSIGN(const auto trees, lowers(source));
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(trees));
  if (!view.root()) {
    return Error(ErrorCode::not_found, "there is nothing to copy from: it is empty");
  }
  SHEAF_TRY_ASSIGN(const auto selected, context::select(view.root(), selection, nullptr));
  SHEAF_TRY_ASSIGN(const auto digest, context::digest_of(view.root(), selected, context::Owners::counted, nullptr));
  SHEAF_TRY(store::write_file(m_store.root(), file, digest.to_string()));
  return digest;
}

SelectionDigests ImageSources::selections() const {
  const std::scoped_lock lock(m_selections_mutex);
  return m_selections;
}

Result<void> ImageSources::save() {
  const std::scoped_lock lock(m_mutex);
  for (auto& [path, folder] : m_folders) {
    SHEAF_TRY(folder.save());
  }
  return {};
}

} // namespace sheaf::builder
