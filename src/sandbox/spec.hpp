// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one sandbox is to do: a root file system of trees, what is mounted into it, and one action. Paths are plain
// host paths; the sandbox knows no store. The value crosses a process boundary as CBOR (see helper.cpp).

#include "base/result.hpp"

#include <cstdint>
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

/// A limit as setrlimit(2) has it; one that the host does not allow is lowered to what it does.
struct ResourceLimit {
  /// As docker has it: "nofile", "nproc", …
  std::string name;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
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
  /// Of these three only HOME, as container runtimes have it.
  bool only_home = false;
  /// May be empty.
  std::vector<ResourceLimit> limits;
  /// All capabilities of the sandbox's user namespace and no system call filter (RUN --security=insecure).
  bool is_privileged = false;
  /// Keeps the caller's terminal and session; otherwise the command gets a session of its own.
  bool interactive = false;
};

/// A tree, maybe of several lowers (the result of a stage), shown at `target`.
struct TreeMount {
  /// Bottom first; one is shown as it is, several are overlaid, none is an empty directory.
  std::vector<std::string> lowers;
  /// What is shown of it, a file or a directory, absolute within the tree; links cannot lead out of it.
  std::string path = "/";
  std::string target;
  /// Empty: read-only. Else what is written goes there; `work` as in OverlayMount.
  std::string upper;
  std::string work;
  /// Show the files of the owner of the first lower as root's, as far as the host and its file system can; real root
  /// only. Files of root show up as that owner's.
  bool owned_by_root = false;
};

/// An empty file system in memory, mode 1777 as runc has it.
struct TmpfsMount {
  std::string target;
  /// Bytes.
  std::optional<std::uint64_t> size;
};

/// A file that is only ever in memory: a secret, or with mode 0755 a script that a command's argv names. Read-only.
struct SecretFile {
  std::string target;
  std::string content;
  unsigned uid = 0;
  unsigned gid = 0;
  unsigned mode = 0400;
};

/// Copies files into the root, as COPY and ADD do.
struct CopyFiles {
  /// Where the sources are: one directory, or the lowers of a stage's result, bottom first. May be empty if all sources
  /// are `files`.
  std::vector<std::string> tree;
  /// What a .dockerignore says, one pattern a line; only for a context.
  std::string ignore;
  /// As in plan::PathSource.
  std::vector<std::string> sources;
  /// Files from elsewhere (heredocs, downloads): the path on the host, and the name that they have as sources.
  struct File {
    std::string path;
    std::string name;
    /// A directory whose contents are taken (a git repository), not a file.
    bool is_directory = false;
    /// Permission bits that the file has unless `mode` says otherwise; nothing: its own.
    std::optional<unsigned> mode;
  };
  std::vector<File> files;
  std::vector<std::string> excludes;
  bool parents = false;
  /// Absolute; a trailing slash means "into this directory".
  std::string destination;
  /// As for USER, resolved in the root; empty is root, but see `keep_owners`.
  std::string owner;
  /// Without `owner`, what comes from `tree` keeps its owners: from a stage or an image, not from a context.
  bool keep_owners = false;
  /// Octal or symbolic; empty keeps the source's.
  std::string mode;
  /// Which archives are unpacked: those among `sources`, those among `files`.
  bool unpack_sources = false;
  bool unpack_files = false;
  /// Nothing keeps the modification times of the sources; else all that is written gets this one, seconds since 1970.
  std::optional<long long> epoch;
};

/// Makes a directory and its parents, as WORKDIR does.
struct MakeDirectory {
  std::string path;
  /// As for USER, resolved in the root; empty is root.
  std::string owner;
};

enum class Network { host, none };

/// Mounts are made in the order of their targets, so that one can lie within another. Mount points that had to be made
/// in the root, and what they are in, are removed after the run if nothing was put there: they leave no mark in
/// `upper`.
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
  std::vector<TreeMount> trees;
  std::vector<TmpfsMount> memory;
  std::vector<SecretFile> secrets;
  std::vector<NewFile> files;
  /// Of /dev/shm, in bytes.
  std::uint64_t shared_memory = std::uint64_t{64} << 20U;
  /// Folders that /proc, /sys and /dev had to be mounted on stay in the upper, as container runtimes leave them.
  bool keeps_kernel_folders = false;
  std::string hostname = "sheaf";
  Network network = Network::host;
  /// The action may use the first so many of the processors that we may use; nothing: all of them.
  std::optional<unsigned> processors;
  /// Several commands run one after another in one sandbox, until one fails; nothing that one of them started outlives
  /// it. Setting the sandbox up costs more than most commands.
  std::variant<std::vector<RunCommand>, CopyFiles, MakeDirectory> action;
};

/// Without loss: strings may hold any bytes.
std::string serialise(const SandboxSpec& spec);
/// `internal` for anything that serialise did not make.
Result<SandboxSpec> parse_spec(std::string_view bytes);

} // namespace sheaf::sandbox
