// SPDX-License-Identifier: Apache-2.0
#include "store/format.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/namespaces.hpp"
#include "store/staging.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace sheaf::store {
namespace {

constexpr std::string_view k_prefix = "sheaf-store ";

std::string path_of(const std::string& root) { return root + "/format"; }

/// Nothing if there is no such file.
Result<std::optional<int>> read_version(const std::string& root) {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(path_of(root)));
  if (!text) {
    return std::optional<int>();
  }
  auto rest = std::string_view(*text);
  const bool is_ours = rest.starts_with(k_prefix) && rest.ends_with('\n');
  const auto version =
      is_ours ? to_number<int>(rest.substr(k_prefix.size(), rest.size() - k_prefix.size() - 1)) : std::nullopt;
  if (!version || *version < 1) {
    return Error(ErrorCode::corrupt, fmt::format("'{}' does not say which format the store has", path_of(root)))
        .with_hint(
            fmt::format("if this is a store that was damaged, write the line '{}{}' into that file and run 'sheaf "
                        "fsck'; else choose another place with --root",
                        k_prefix, k_format_version));
  }
  return version;
}

Result<void> write_version(const std::string& root) {
  return write_file(root, path_of(root), fmt::format("{}{}\n", k_prefix, k_format_version), os::Durable::yes);
}

Error is_newer(const std::string& root, int version) {
  return Error(ErrorCode::unsupported, fmt::format("the store at '{}' has format {}, this sheaf knows up to {}", root,
                                                   version, k_format_version))
      .with_hint("use the newer sheaf that made it, or another store with --root");
}

/// A sheaf of before format 2 does not say what it uses. While it builds or runs something it has a staging folder.
Result<void> check_nobody_builds(const std::string& root) {
  SHEAF_TRY(Staging::remove_abandoned(root + "/tmp"));
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(root + "/tmp"));
  for (const auto& entry : entries) {
    if (entry.name.starts_with("build-")) {
      return Error(ErrorCode::busy, fmt::format("another sheaf is using the store at '{}'", root))
          .with_hint("let its builds and environments end, and try again");
    }
  }
  return {};
}

/// 2: processes say what they use (in_use.hpp), and the index has a version of its own.
Result<void> migrate_from_1(const std::string& root) {
  SHEAF_TRY(check_nobody_builds(root));
  for (const auto* suffix : {"", "-journal", "-wal", "-shm"}) { // made anew from the files when it is needed
    SHEAF_TRY(os::remove_file_if_exists(root + "/index.db" + suffix));
  }
  return write_version(root);
}

constexpr std::string_view k_elsewhere =
    "a store has a folder of its own, missing or empty at first: choose another one with --root or SHEAF_ROOT";

/// As when the file `format` was lost.
bool has_folders_of_store(const std::string& root) {
  constexpr std::array<std::string_view, 3> k_telling = {"layers", "recipes", "locks"};
  return std::ranges::all_of(k_telling, [&](auto name) { return os::is_directory(fmt::format("{}/{}", root, name)); });
}

/// Whether a store that was just being made may hold this: the first folders, empty but for what is being written, and
/// for caches that somebody brought before.
bool is_of_unfinished_store(const std::string& root, const std::string& name) {
  if (name == "lost+found") {
    return true;
  }
  const auto inside = os::list_directory(fmt::format("{}/{}", root, name));
  return std::ranges::count(k_first_folders, name) > 0 && inside &&
         (inside->empty() || name == "tmp" || name == "cache");
}

} // namespace

Result<void> check_is_store(const std::string& root) {
  if (!os::exists(root) || os::exists(path_of(root))) {
    return {};
  }
  if (!os::is_directory(root)) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is no folder", root)).with_hint(std::string(k_elsewhere));
  }
  const auto entries = os::list_directory(root);
  for (const auto& entry : entries ? *entries : std::vector<os::DirectoryEntry>()) {
    // Another process may have finished it since we looked.
    if (!is_of_unfinished_store(root, entry.name) && !has_folders_of_store(root) && !os::exists(path_of(root))) {
      return Error(ErrorCode::invalid, fmt::format("'{}' is no store, and '{}' is in it", root, entry.name))
          .with_hint(std::string(k_elsewhere));
    }
  }
  return {}; // of one that cannot be listed its owner is told next
}

Result<void> check_owner(const std::string& root) {
  struct stat info {};
  if (stat(root.c_str(), &info) != 0) {
    return Error::from_errno(errno, fmt::format("looking at '{}'", root));
  }
  const bool caller_inside = info.st_uid == os::k_caller_id && os::is_caller_mapped();
  if (info.st_uid != os::effective_uid() && !caller_inside) {
    return Error(ErrorCode::denied, fmt::format("the store at '{}' belongs to another user", root))
        .with_hint("each user has a store of their own; choose another place with --root or SHEAF_ROOT");
  }
  return {};
}

Result<void> check_format(const std::string& root) {
  SHEAF_TRY_ASSIGN(const auto version, read_version(root));
  if (!version) {
    return write_version(root);
  }
  if (*version > k_format_version) {
    return is_newer(root, *version);
  }
  if (*version < k_format_version) {
    return Error(ErrorCode::unsupported,
                 fmt::format("the store at '{}' has format {}, this sheaf uses {}", root, *version, k_format_version))
        .with_hint(
            "'sheaf store migrate' brings it to the new format, in a moment; older versions of sheaf cannot use it "
            "then");
  }
  return {};
}

bool has_our_format(const std::string& root) {
  const auto version = read_version(root);
  return version && *version == k_format_version;
}

Result<Migration> migrate(const std::string& root) {
  const auto doing = fmt::format("migrating the store at '{}'", root);
  SHEAF_TRY_ASSIGN(const auto version, read_version(root).context(doing));
  if (!version) {
    return Error(ErrorCode::not_found, fmt::format("there is no store at '{}'", root)).with_context(std::string(doing));
  }
  if (*version > k_format_version) {
    return is_newer(root, *version);
  }
  SHEAF_TRY(check_owner(root).context(doing));
  if (*version < k_format_version) {
    for (const auto* folder : {"/tmp", "/locks"}) { // which may be lost
      SHEAF_TRY(os::make_directories(root + folder).context(doing));
    }
    SHEAF_TRY_ASSIGN(const auto lock,
                     os::FileLock::acquire(root + "/locks/index", os::LockMode::exclusive).context(doing));
    SHEAF_TRY(migrate_from_1(root).context(doing));
  }
  return Migration{*version, k_format_version};
}

} // namespace sheaf::store
