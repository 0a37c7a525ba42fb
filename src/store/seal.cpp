// SPDX-License-Identifier: Apache-2.0
#include "store/seal.hpp"

#include "base/digest.hpp"
#include "base/kept_back.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "store/tree_digest.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

namespace sheaf::store {
namespace {

constexpr std::string_view k_name = "seal";

Result<void> add_entry(const os::Fd& folder, const std::string& name, const std::string& path, Sha256& hash);

Result<void> add_folder(const os::Fd& folder, const std::string& prefix, Sha256& hash) {
  SHEAF_TRY_ASSIGN(auto entries, os::list_directory(folder));
  std::ranges::sort(entries, {}, &os::DirectoryEntry::name);
  for (const auto& entry : entries) {
    if (prefix.empty() && entry.name.starts_with(k_name)) { // also what a killed process left while renewing it
      continue;
    }
    SHEAF_TRY(add_entry(folder, entry.name, prefix + entry.name, hash));
  }
  return {};
}

Result<void> add_entry(const os::Fd& folder, const std::string& name, const std::string& path, Sha256& hash) {
  struct stat info {};
  if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("looking at '{}'", path));
  }
  hash.field(path).field(fmt::format("{} {} {} {}", info.st_mode, info.st_uid, info.st_gid, info.st_rdev));
  if (S_ISDIR(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto inner, os::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return add_folder(inner, path + "/", hash);
  }
  if (S_ISLNK(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(folder, name));
    hash.field(target);
  } else if (S_ISREG(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto file, os::open_at(folder, name, O_RDONLY | O_NOFOLLOW));
    SHEAF_TRY_ASSIGN(const auto content, os::read_all(file));
    hash.field(content);
  }
  return {};
}

Result<std::string> digest_of(const std::string& folder) {
  SHEAF_TRY_ASSIGN(const auto root, os::open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  Sha256 hash;
  hash.field("sheaf-seal 1");
  SHEAF_TRY(add_folder(root, "", hash));
  return hash.finish().hex();
}

std::string seal_path(const std::string& folder) { return fmt::format("{}/{}", folder, k_name); }

} // namespace

Result<void> seal(const std::string& folder) {
  SHEAF_TRY_ASSIGN(const auto digest, digest_of(folder));
  return os::write_file(seal_path(folder), fmt::format("{}\n{}\n", os::boot_id(), digest));
}

namespace {

struct Seal {
  std::string boot;
  std::string digest;
};

Result<std::optional<Seal>> read_seal(const std::string& folder) {
  const auto text = os::read_file(seal_path(folder));
  if (!text && is_kept_back(text.error())) {
    return text.error();
  }
  const auto lines = text ? lines_of(*text) : std::vector<std::string_view>();
  return lines.size() == 2 ? std::optional(Seal{std::string(lines[0]), std::string(lines[1])}) : std::optional<Seal>();
}

} // namespace

Result<bool> is_as_sealed(const std::string& folder) {
  SHEAF_TRY_ASSIGN(const auto sealed, read_seal(folder));
  auto digest = digest_of(folder);
  if (!digest && is_kept_back(digest.error())) {
    return std::move(digest).error();
  }
  return sealed && digest && *digest == sealed->digest;
}

bool is_intact(const std::string& folder) {
  const auto sealed = read_seal(folder).value_or(std::nullopt);
  if (sealed && !sealed->boot.empty() && sealed->boot == os::boot_id()) {
    return true;
  }
  if (!is_as_sealed(folder).value_or(false)) {
    return false;
  }
  // What can be read back after the reboot is on the disk. A seal that cannot be renewed costs the same look next time.
  [[maybe_unused]] const auto renewed = seal(folder);
  return true;
}

Result<void> seal_tree(const std::string& folder) { return os::write_file(folder + "/seal", os::boot_id() + "\n"); }

bool is_tree_intact(const std::string& folder, const Digest& exact) {
  if (!os::is_directory(folder + "/tree")) {
    return false;
  }
  // A lost seal says as little as an old one: the digest decides.
  const auto sealed = os::read_file(folder + "/seal");
  const auto boot = os::boot_id();
  if (sealed && !boot.empty() && *sealed == boot + "\n") {
    return true;
  }
  const auto now = digest_tree(folder + "/tree");
  if (!now || now->exact != exact) {
    return false;
  }
  ignore(os::write_file(folder + "/seal", boot + "\n"), "renewing the seal of a tree");
  return true;
}

} // namespace sheaf::store
