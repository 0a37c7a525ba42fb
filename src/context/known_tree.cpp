// SPDX-License-Identifier: Apache-2.0
#include "context/known_tree.hpp"

#include "base/diagnostics.hpp"
#include "base/source_text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <utility>

#include "context/stamps.hpp"
#include "context/walk_record.hpp"

namespace sheaf::context {
namespace {

/// Every COPY has a record; those of instructions that are gone go when there are more than this.
constexpr std::size_t k_most_records = 64;

std::string walks_of(const std::string& memory) { return memory + ".walks"; }

} // namespace

Result<KnownTree> KnownTree::open(const std::string& path, const std::string& ignore, std::string memory) {
  SHEAF_TRY_ASSIGN(auto tree, os::open(path, O_RDONLY | O_DIRECTORY));
  Diagnostics diagnostics;
  auto patterns = IgnorePatterns::parse(std::make_shared<const SourceText>(".dockerignore", ignore), diagnostics);
  return KnownTree(std::move(tree), std::move(patterns), ignore, std::move(memory));
}

/// All that decides what a walk takes, but for the tree itself.
Digest KnownTree::key_of(const Selection& selection, const std::vector<FoundSource>& found) const {
  Sha256 hash;
  hash.field("walk 1").field(m_ignore).field(selection.parents ? "parents" : "");
  for (const auto& pattern : selection.excludes) {
    hash.field(pattern);
  }
  hash.field("sources");
  for (const auto& source : found) {
    hash.field(source.pattern).field(source.path).field(source.name).field(std::to_string(source.type));
    hash.field(source.below).field(source.required ? "required" : "");
  }
  return hash.finish();
}

/// The records of other selections are of no use, should there be many.
Result<void> KnownTree::make_room() const {
  const auto folder = walks_of(m_memory);
  SHEAF_TRY(os::make_directories(folder));
  SHEAF_TRY_ASSIGN(const auto records, os::list_directory(folder));
  if (records.size() >= k_most_records) {
    for (const auto& record : records) {
      SHEAF_TRY(os::remove_file_if_exists(fmt::format("{}/{}", folder, record.name)));
    }
  }
  return {};
}

Result<Digest> KnownTree::digest(const Selection& selection) {
  RecordedWalk walk;
  walk.begin = now_ns();
  SHEAF_TRY_ASSIGN(const auto found, find_sources(m_tree, selection, &m_patterns));
  walk.sources = key_of(selection, found);
  const auto file = fmt::format("{}/{}", walks_of(m_memory), walk.sources.hex());
  if (const auto known = recorded_digest(file, m_tree, walk.sources)) {
    return *known;
  }
  if (!m_files) {
    m_files = DigestCache::load(m_memory);
  }
  SHEAF_TRY_ASSIGN(walk.selected, take(m_tree, selection, &m_patterns, found));
  SHEAF_TRY_ASSIGN(walk.digest, stamped_digest_of(m_tree, walk.selected, Owners::ignored, &*m_files));
  if (walk.selected.size() == found.size()) { // else something was looked through of which nothing is told
    SHEAF_TRY(make_room());
    SHEAF_TRY(record_walk(file, m_tree, walk));
  }
  return walk.digest.digest;
}

Result<void> KnownTree::save() { return m_files ? m_files->save() : Result<void>(); }

} // namespace sheaf::context
