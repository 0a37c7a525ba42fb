// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is done to a root file system, one value per instruction that changes it, with all variables expanded and all
// paths absolute. Steps say where files come from by name; the builder knows where that is.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sheaf::plan {

/// What PATH is where nothing is said.
inline constexpr const char* k_default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where files are read from.
struct Source {
  enum class Kind {
    context,       ///< the build context
    named_context, ///< a folder given by --build-context, `name`
    stage,         ///< the result of stage `stage` of the same plan
    image,         ///< another image, `name`; a named context that is an image has been replaced by that image
    nothing,       ///< an empty directory
  };
  Kind kind = Kind::context;
  std::string name;
  std::size_t stage = 0;
  bool operator==(const Source&) const = default;
};

struct BindMountSource {
  Source from;
  /// Within `from`, absolute, "/" for all of it.
  std::string path = "/";
  bool writable = false;
};
struct CacheMount {
  std::string id;
  /// What the cache starts with; `nothing` for an empty directory.
  Source from{Source::Kind::nothing, {}, 0};
  std::string path = "/";
  enum class Sharing { shared, private_copy, locked } sharing = Sharing::shared;
  bool read_only = false;
  unsigned uid = 0;
  unsigned gid = 0;
  unsigned mode = 0755;
};
struct TmpfsMount {
  /// Bytes.
  std::optional<std::uint64_t> size;
};
struct SecretMount {
  std::string id;
  /// Fails if there is no such secret.
  bool required = false;
  /// The variable that gets the secret; empty for none.
  std::string environment;
  unsigned uid = 0;
  unsigned gid = 0;
  unsigned mode = 0400;
};
struct SshMount {
  std::string id = "default";
  bool required = false;
  unsigned uid = 0;
  unsigned gid = 0;
  unsigned mode = 0600;
};

struct Mount {
  /// Absolute. Empty for a secret that is only a variable.
  std::string target;
  std::variant<BindMountSource, CacheMount, TmpfsMount, SecretMount, SshMount> what;
};

enum class Network { standard, none, host };
enum class Security { sandbox, insecure };

/// RUN: `argv` in `directory` as `user`.
struct RunStep {
  std::vector<std::string> argv;
  /// A heredoc that starts with "#!": a file that `argv` is made of at run time; `argv` is empty then.
  std::optional<std::string> script;
  /// Complete: ENV and build arguments; in the order in which they were set.
  std::vector<std::pair<std::string, std::string>> environment;
  /// Names of variables of `environment` that do not belong to the cache key (proxies).
  std::vector<std::string> not_in_key;
  std::string directory = "/";
  std::string user;
  std::vector<Mount> mounts;
  Network network = Network::standard;
  Security security = Security::sandbox;
};

/// A path of `CopyStep::from`, maybe with wildcards (Go's filepath.Match), clean, without a leading slash; with
/// `--parents` it may have a "/./" in it.
struct PathSource {
  std::string path;
};
/// A heredoc, variables expanded.
struct InlineSource {
  std::string name;
  std::string content;
};
struct HttpSource {
  std::string url;
  /// "sha256:…"; empty for none.
  std::string checksum;
};
struct GitSource {
  /// Without fragment and query.
  std::string url;
  /// Branch, tag, commit; empty for the default.
  std::string ref;
  /// Folder within the repository; empty for all.
  std::string folder;
  bool keep_git_directory = false;
  /// A commit that the ref must have; empty for any.
  std::string checksum;
};

enum class Unpack { never, local_archives, always };

/// COPY, ADD and FETCH.
struct CopyStep {
  Source from;
  std::vector<std::variant<PathSource, InlineSource, HttpSource, GitSource>> sources;
  /// Absolute and clean; a trailing slash means "into this directory".
  std::string destination;
  /// "user", "user:group", names or numbers, looked up in the target root; empty is 0:0.
  std::string owner;
  /// Octal or symbolic, checked; empty keeps the source's.
  std::string mode;
  std::vector<std::string> excludes;
  Unpack unpack = Unpack::never;
  bool link = false;
  bool parents = false;
};

/// WORKDIR: the directory exists afterwards. `user` owns what has to be made; empty is root.
struct MakeDirectoryStep {
  std::string path;
  std::string user;
};

/// SNAPSHOT: the path must exist, and is kept whatever the capture table says.
struct SnapshotStep {
  std::string path;
};

struct Step {
  /// The instruction on one line, as written.
  std::string display;
  /// 1-based line in the Containerfile; 0 for a step of the base image's ONBUILD.
  std::size_t line = 0;
  std::variant<RunStep, CopyStep, MakeDirectoryStep, SnapshotStep> action;
};

/// Canonical text of all that decides the step's result, but for the content of what it reads: where files come from is
/// not said, nor what a secret holds. Part of cache keys, together with digests of that content.
std::string describe(const Step& step);

} // namespace sheaf::plan
