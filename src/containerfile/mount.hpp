// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a `--mount=` of RUN means, once its variables are known (Dockerfile reference, "RUN --mount").

#include "base/diagnostics.hpp"
#include "containerfile/ast.hpp"
#include "containerfile/instructions.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sheaf::containerfile {

struct Mount {
  enum class Type { bind, cache, tmpfs, secret, ssh };
  enum class Sharing { shared, private_copy, locked };
  Type type = Type::bind;
  /// As written, maybe relative to the working directory; empty for a secret or socket at its default place, or one
  /// that is only an environment variable.
  std::string target;
  /// Path within `from`, or within the build context.
  std::string source;
  /// A stage, named context or image; empty for the build context (bind) or an empty start (cache).
  std::string from;
  /// Of a cache (its target if not given), secret or ssh agent ("default").
  std::string id;
  /// A secret as an environment variable of this name.
  std::string environment;
  bool read_only = false;
  /// A bind that may be written to; what is written is thrown away.
  bool read_write = false;
  bool required = false;
  Sharing sharing = Sharing::shared;
  std::optional<unsigned> uid;
  std::optional<unsigned> gid;
  std::optional<unsigned> mode;
  /// Of a tmpfs, in bytes.
  std::optional<std::uint64_t> size;
};

/// Reads the value of `flag`, a `--mount=` within `line`. What needs no variable to be known is checked now, so that a
/// mistake is found before anything runs. Nothing if there is one.
std::optional<MountFlag> parse_mount(const std::shared_ptr<const SourceText>& source, const LogicalLine& line,
                                     const Flag& flag, Diagnostics& diagnostics);

/// `text` expanded; the caller reports what is wrong with it.
using ExpandWord = std::function<std::string(const Word&)>;

/// Reports every mistake in the flag; nothing if there is one.
std::optional<Mount> resolve_mount(const std::shared_ptr<const SourceText>& source, const MountFlag& flag,
                                   const ExpandWord& expand, Diagnostics& diagnostics);

} // namespace sheaf::containerfile
