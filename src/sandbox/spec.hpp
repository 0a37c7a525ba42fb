// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one sandbox is to do: a root file system of trees, what is mounted into it, and one action. Paths are plain
// host paths; the sandbox knows no store. The value crosses a process boundary as JSON (see helper.cpp).

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sheaf::sandbox {

enum class Access { read_write, read_only };

/// A host path shown at `target`. A missing target is created (a directory for a directory, a file for a file).
struct BindMount {
  std::string source;
  std::string target;
  Access access = Access::read_write;
  /// Show the files of the source's owner as owned by uid 1000 (see os::map_mount_owners); real root only.
  bool owned_by_dev = false;
};

/// A private view of a shared directory: reads come from `shared`, writes stay in `upper`.
struct OverlayMount {
  std::string shared;
  std::string upper;
  std::string work;
  std::string target;
};

/// A file of the new root, owned by root. One that is there already stays as it is.
struct NewFile {
  std::string path;
  std::string content;
  unsigned mode = 0644;
};

/// Runs a program.
struct RunCommand {
  /// Written to the command's output before it starts, unless empty.
  std::string title;
  std::vector<std::string> argv;
  /// NAME=value, complete but for HOME, USER and LOGNAME, which come from the root's passwd file if absent.
  std::vector<std::string> environment;
  std::string directory = "/";
  /// As in the Dockerfile reference, USER: "name", "uid", "name:group", …; empty is root.
  std::string user;
  /// Keeps the caller's terminal and session; otherwise the command gets a session of its own.
  bool interactive = false;
};

/// Copies files of a context directory, as COPY does.
struct CopyFiles {
  std::string context;
  /// Relative to the context, no globs left in them.
  std::vector<std::string> sources;
  /// Absolute; a trailing slash means "into this directory".
  std::string destination;
  /// As for USER, resolved in the root; empty is root.
  std::string owner;
  /// Permission bits for files and directories; nothing keeps the source's.
  std::optional<unsigned> mode;
  /// Modification time of all that is written, seconds since 1970.
  long long epoch = 0;
};

/// Makes a directory and its parents, as WORKDIR does.
struct MakeDirectory {
  std::string path;
};

enum class Network { host, none };

struct SandboxSpec {
  /// Bottom first.
  std::vector<std::string> lowers;
  std::string upper;
  /// An empty directory on the file system of `upper`; a new one for every run (see os::Overlay::is_volatile).
  std::string work;
  bool is_volatile = false;
  /// An empty directory to mount the root at; only this sandbox sees it mounted.
  std::string mount_point;
  std::vector<BindMount> binds;
  std::vector<OverlayMount> overlays;
  std::vector<NewFile> files;
  std::string hostname = "sheaf";
  Network network = Network::host;
  /// The action may use the first so many of the processors that we may use; nothing: all of them.
  std::optional<unsigned> processors;
  /// Several commands run one after another in one sandbox, until one fails; nothing that one of them started outlives
  /// it. Setting the sandbox up costs more than most commands.
  std::variant<std::vector<RunCommand>, CopyFiles, MakeDirectory> action;
};

std::string serialise(const SandboxSpec& spec);
Result<SandboxSpec> parse_spec(std::string_view json);

} // namespace sheaf::sandbox
