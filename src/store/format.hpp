// SPDX-License-Identifier: Apache-2.0
#pragma once

// The version of a store's format, and the way from older ones to ours. What changed: docs/formats/store.md.

#include "base/result.hpp"

#include <array>
#include <string>
#include <string_view>

namespace sheaf::store {

/// Counts up when an older sheaf would do harm to a store of ours, or could not read it.
inline constexpr int k_format_version = 2;

/// What a new store gets before its file `format`.
inline constexpr std::array<std::string_view, 9> k_first_folders = {"layers", "recipes", "joins", "steps", "step-keys",
                                                                    "tmp",    "locks",   "cache", "logs"};

/// `invalid` if a store would be made among files of something else, which `sheaf gc` would take for its own. A store
/// that is missing, empty (but for caches), not finished, or lost its file `format` is none of that.
Result<void> check_is_store(const std::string& root);

/// Writes our version into a store that has none yet. `unsupported` if it has another, with what to do about it;
/// `corrupt` if it cannot be told.
Result<void> check_format(const std::string& root);

/// `denied` if somebody else made the store: its files carry the ids of who made it, and for anybody else its layers
/// would have wrong owners.
Result<void> check_owner(const std::string& root);

/// Does the store say that it has our format?
bool has_our_format(const std::string& root);

struct Migration {
  int from = 0;
  int to = 0;
};

/// Brings the store at `root` to our format; `from` equals `to` if there was nothing to do. Can be broken off at any
/// point and started again. `busy` while a sheaf that does not know our format uses it; `not_found` if there is no
/// store.
Result<Migration> migrate(const std::string& root);

} // namespace sheaf::store
