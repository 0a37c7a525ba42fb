// SPDX-License-Identifier: Apache-2.0
// The part of Store that keeps what steps gave. A key names a record, a record names a tree: so a step that is carried
// out once more can give another tree without changing the one that images and running builds stand on.
#include "os/file.hpp"
#include "store/seal.hpp"
#include "store/store.hpp"

#include <fmt/format.h>

namespace sheaf::store {

std::optional<StepRecord> Store::find_step(const Digest& key) const {
  const auto text = os::read_file(fmt::format("{}/step-keys/{}", m_root, key.hex()));
  if (!text) {
    return std::nullopt;
  }
  auto record = parse_step_record(*text);
  if (!record || !use(record->folder()) ||
      !is_tree_intact(fmt::format("{}/{}", m_root, record->folder()), record->exact)) {
    return std::nullopt;
  }
  return std::move(*record);
}

Result<bool> Store::adopt_step(const Digest& key, const StepRecord& record) {
  SHEAF_TRY(use(record.folder()));
  if (!is_tree_intact(fmt::format("{}/{}", m_root, record.folder()), record.exact)) {
    return false;
  }
  SHEAF_TRY(write_file(m_root, fmt::format("{}/step-keys/{}", m_root, key.hex()), serialise(record)));
  return true;
}

Result<void> Store::commit_step(const std::string& directory, const Digest& key, const StepRecord& record) {
  const auto path = fmt::format("{}/{}", m_root, record.folder());
  SHEAF_TRY(use(record.folder()));
  SHEAF_TRY(seal_tree(directory));
  SHEAF_TRY(put(directory, path, [&] { return is_tree_intact(path, record.exact); }).context("committing a step"));
  return write_file(m_root, fmt::format("{}/step-keys/{}", m_root, key.hex()), serialise(record));
}

} // namespace sheaf::store
