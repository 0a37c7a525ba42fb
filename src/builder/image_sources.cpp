// SPDX-License-Identifier: Apache-2.0
#include "builder/image_sources.hpp"

#include "layer/file_digest.hpp"
#include "layer/parent_view.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include "context/content_digest.hpp"

namespace sheaf::builder {
namespace {

using plan::Source;

bool is_context(const Source& source) {
  return source.kind == Source::Kind::context || source.kind == Source::Kind::named_context;
}

Digest name_of(std::string_view kind, const std::string& where, const context::Selection& selection) {
  Sha256 hash;
  hash.field(kind).field(where).field(selection.parents ? "parents" : "");
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

Result<void> check_content(const std::string& file, const plan::HttpSource& source) {
  if (!source.checksum.starts_with("sha256:")) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto fd, os::open(file, O_RDONLY));
  SHEAF_TRY_ASSIGN(const auto digest, layer::digest_of(fd));
  if (digest.to_string() != source.checksum) {
    return Error(ErrorCode::corrupt,
                 fmt::format("'{}' has the digest {}, not {}", source.url, digest.to_string(), source.checksum))
        .with_hint("either what is offered there has changed, or the checksum in the file is wrong");
  }
  return {};
}

} // namespace

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
  std::vector<std::string> paths;
  for (const auto& tree : what.trees()) {
    paths.push_back(m_store.tree_path(tree));
  }
  return paths;
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
  return digest(source, {{literal(path)}, {}, false});
}

Result<Digest> ImageSources::digest(const Source& source, const context::Selection& selection) {
  if (!is_context(source)) {
    return digest_of_trees(source, selection);
  }
  SHEAF_TRY_ASSIGN(const auto* folder, context_folder(source));
  return digest_of_context(*folder, selection);
}

Result<context::KnownTree*> ImageSources::open_folder(const ContextFolder& folder) {
  if (const auto known = m_folders.find(folder.path); known != m_folders.end()) {
    return &known->second;
  }
  SHEAF_TRY_ASSIGN(const auto memories, m_store.folder("cache/contexts"));
  SHEAF_TRY_ASSIGN(auto opened, context::KnownTree::open(folder.path, folder.ignore,
                                                         fmt::format("{}/{}", memories, Digest::of(folder.path).hex()))
                                    .context(fmt::format("opening the build context '{}'", folder.path)));
  return &m_folders.emplace(folder.path, std::move(opened)).first->second;
}

Result<Digest> ImageSources::digest_of_context(const ContextFolder& folder, const context::Selection& selection) {
  const auto name = name_of("context", folder.path, selection);
  const std::scoped_lock lock(m_mutex);
  if (const auto known = m_known.find(name); known != m_known.end()) {
    return known->second;
  }
  SHEAF_TRY_ASSIGN(auto* opened, open_folder(folder));
  SHEAF_TRY_ASSIGN(const auto digest, opened->digest(selection));
  m_known.emplace(name, digest);
  return digest;
}

/// The state says all of the content, so the digest of a selection is looked for once per state.
Result<Digest> ImageSources::digest_of_trees(const Source& source, const context::Selection& selection) {
  SHEAF_TRY_ASSIGN(const auto what, state(source));
  SHEAF_TRY_ASSIGN(const auto cache, m_store.folder("cache/selections"));
  const auto file = fmt::format("{}/{}", cache, name_of("sheaf-selection 1", what.digest().hex(), selection).hex());
  if (const auto text = os::read_file(file)) {
    if (const auto known = Digest::parse(*text)) {
      return *known;
    }
  }
  SHEAF_TRY_ASSIGN(const auto trees, lowers(source));
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(trees));
  if (!view.root()) {
    return Error(ErrorCode::not_found, "there is nothing to copy from: it is empty");
  }
  SHEAF_TRY_ASSIGN(const auto selected, context::select(view.root(), selection, nullptr));
  SHEAF_TRY_ASSIGN(const auto digest, context::digest_of(view.root(), selected, context::Owners::counted, nullptr));
  SHEAF_TRY(os::write_file(file, digest.to_string()));
  return digest;
}

Result<std::string> ImageSources::version(const plan::HttpSource& source, std::stop_token stop) const {
  if (!source.checksum.empty()) {
    return source.checksum;
  }
  return m_inputs.version_of_url ? m_inputs.version_of_url(source, stop)
                                 : Error(ErrorCode::unsupported, "files from the network are not possible here");
}

Result<std::string> ImageSources::version(const plan::GitSource& source, std::stop_token stop) const {
  return m_inputs.version_of_repository ? m_inputs.version_of_repository(source, stop)
                                        : Error(ErrorCode::unsupported, "repositories are not possible here");
}

Result<std::string> ImageSources::fetch(const plan::HttpSource& source, const std::string& version,
                                        std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto cache, m_store.folder("cache/http"));
  auto path = fmt::format("{}/{}", cache, Sha256().field(source.url).field(version).finish().hex());
  if (os::exists(path) && !version.empty()) {
    return path;
  }
  if (!m_inputs.download) {
    return Error(ErrorCode::unsupported, "files from the network are not possible here");
  }
  const auto doing = fmt::format("downloading '{}'", source.url);
  SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
  const auto file = staging.file("download");
  SHEAF_TRY(m_inputs.download(source, file, stop).context(doing));
  SHEAF_TRY(check_content(file, source).context(doing));
  SHEAF_TRY(os::rename(file, path).context(doing));
  return path;
}

Result<std::string> ImageSources::fetch(const plan::GitSource& source, const std::string& version,
                                        std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto cache, m_store.folder("cache/git"));
  auto path = fmt::format("{}/{}", cache,
                          Sha256()
                              .field(source.url)
                              .field(version)
                              .field(source.folder)
                              .field(source.keep_git_directory ? "git" : "")
                              .finish()
                              .hex());
  if (os::exists(path) && !version.empty()) {
    return path;
  }
  if (!m_inputs.clone) {
    return Error(ErrorCode::unsupported, "repositories are not possible here");
  }
  const auto doing = fmt::format("cloning '{}'", source.url);
  SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
  const auto folder = staging.file("clone");
  SHEAF_TRY(os::make_directories(folder));
  SHEAF_TRY(m_inputs.clone(source, folder, stop).context(doing));
  if (auto renamed = os::rename(folder, path); !renamed && !os::is_directory(path)) {
    return std::move(renamed).context(doing).error();
  }
  return path;
}

Result<void> ImageSources::save() {
  const std::scoped_lock lock(m_mutex);
  for (auto& [path, folder] : m_folders) {
    SHEAF_TRY(folder.save());
  }
  return {};
}

} // namespace sheaf::builder
