// SPDX-License-Identifier: Apache-2.0
// The part of Store that keeps what steps gave. A key names a record, a record names a tree: so a step that is carried
// out once more can give another tree without changing the one that images and running builds stand on.
#include "os/file.hpp"
#include "store/seal.hpp"
#include "store/store.hpp"
#include "store/tree_digest.hpp"

#include <fmt/format.h>

namespace sheaf::store {
namespace {

/// Within the boot in which it was written a tree is as it was; after that it is read and compared once.
bool is_whole(const std::string& folder, const Digest& exact) {
  const auto sealed = os::read_file(folder + "/seal");
  if (!sealed || !os::is_directory(folder + "/tree")) {
    return false;
  }
  const auto boot = os::boot_id();
  if (!boot.empty() && *sealed == boot + "\n") {
    return true;
  }
  const auto now = digest_tree(folder + "/tree");
  if (!now || now->exact != exact) {
    return false;
  }
  ignore(os::write_file(folder + "/seal", boot + "\n"), "renewing the seal of a step");
  return true;
}

} // namespace

std::optional<StepRecord> Store::find_step(const Digest& key) const {
  const auto text = os::read_file(fmt::format("{}/step-keys/{}", m_root, key.hex()));
  if (!text) {
    return std::nullopt;
  }
  auto record = parse_step_record(*text);
  if (!record || !is_whole(fmt::format("{}/{}", m_root, record->folder()), record->exact)) {
    return std::nullopt;
  }
  return std::move(*record);
}

bool Store::has_step_tree(const std::string& folder) const {
  const auto exact = Digest::parse(folder.substr(folder.rfind('/') + 1));
  return exact && is_whole(fmt::format("{}/{}", m_root, folder), *exact);
}

Result<void> Store::commit_step(const std::string& directory, const Digest& key, const StepRecord& record) {
  const auto path = fmt::format("{}/{}", m_root, record.folder());
  SHEAF_TRY(os::write_file(directory + "/seal", os::boot_id() + "\n"));
  if (os::exists(path) && !is_whole(path, record.exact)) { // cut short by a crash
    SHEAF_TRY_ASSIGN(auto trash, Staging::create(m_root + "/tmp"));
    SHEAF_TRY(os::rename(path, trash.file("damaged")));
  }
  if (!os::exists(path)) {
    if (auto renamed = os::rename(directory, path); !renamed && !is_whole(path, record.exact)) {
      return std::move(renamed).context("committing a step").error();
    }
  }
  return os::write_file(fmt::format("{}/step-keys/{}", m_root, key.hex()), serialise(record));
}

} // namespace sheaf::store
