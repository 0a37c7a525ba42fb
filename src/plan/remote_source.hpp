// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells what a source of ADD is by its text: a file somewhere on the web, a git repository, or neither and so a path of
// the context (Dockerfile reference, "ADD").

#include "base/result.hpp"
#include "plan/step.hpp"

#include <optional>
#include <string_view>

namespace sheaf::plan {

/// "http://…" or "https://…"
bool is_web_address(std::string_view source);

/// Nothing if `source` is no repository. Repositories are "git://…", "ssh://…", "user@host:path" and web addresses
/// whose path ends in ".git"; with "#REF[:FOLDER]" or "?ref=&branch=&tag=&subdir=&checksum=&keep-git-dir=" behind.
/// `invalid` for a query that makes no sense.
Result<std::optional<GitSource>> parse_repository(std::string_view source);

/// The archive that "github:OWNER/REPOSITORY[@REF]" stands for, else `source`; REF is HEAD if not given. `invalid` if
/// "github:" is not followed by owner and repository.
Result<HttpSource> parse_fetch(std::string_view source);

/// The last part of an address's path, decoded: what a downloaded file is called. Empty if there is none, or if it
/// would not be the name of a file.
std::string file_name_of(std::string_view url);

/// "sha256:" and 64 lower-case digits.
bool is_sha256(std::string_view text);
/// The whole name of a commit, or its beginning of at least seven digits.
bool is_commit(std::string_view text);

} // namespace sheaf::plan
