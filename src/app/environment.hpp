// SPDX-License-Identifier: Apache-2.0
#pragma once

// A ready environment: what to mount and with what configuration, and the fingerprint by which the next run knows in
// one stat walk that nothing changed.

#include "app/project.hpp"
#include "base/config_delta.hpp"
#include "detect/detect.hpp"
#include "os/file.hpp"
#include "store/in_use.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

/// One line of the stack, for people.
struct StackLine {
  std::string name;
  std::string kind;
  std::string reason;
  std::uint64_t bytes = 0;
  std::string content_key;
  /// The layers it is built on, the base first.
  std::vector<std::string> closure;
};

struct Environment {
  std::string project;
  std::string project_name;
  /// Bottom first, paths in the store.
  std::vector<std::string> lowers;
  ConfigDelta config;
  std::vector<StackLine> stack;
  /// The name of the image that the base is made of; empty if it is none.
  std::string base_image;
  /// Credentials of the agents, as written in the layers ("~/…" is the caller's home).
  std::vector<std::string> credentials;
  /// Paths of the identity rules by which layers lost something that each start makes anew; sorted, unique.
  std::vector<std::string> scrubbed;
  /// From the settings: "source:target[:ro]".
  std::vector<std::string> mounts;
  /// The mounts were asked for by the project's own files, which whatever runs inside can change: they may then show
  /// nothing that lies outside of the project.
  bool mounts_stay_in_project = false;
  /// Keeps `lowers` from being collected as long as it lives; not remembered.
  std::shared_ptr<store::InUse> in_use;
};

/// A path and what it looked like; no stamp means that nothing was there.
struct Fingerprint {
  std::string path;
  std::optional<os::FileStamp> stamp;
};

/// Looks at every path once.
std::vector<Fingerprint> take_fingerprints(const std::vector<std::string>& paths);

/// What a remembered environment depends on. Files must be as they were; when a folder of the project or a file
/// that detection read changed, it is repeated and must find the same.
struct Inputs {
  std::vector<Fingerprint> files;
  std::vector<detect::Rule> rules;
  detect::Detection detection;
  /// Seconds since 1970 from which on it has to be looked at again; 0 for never.
  std::int64_t expires = 0;
};

/// Where the environment of these choices is remembered in the store at `store_root`.
std::string saved_path(const std::string& store_root, const std::string& project_root, const Choices& choices);

/// Remembers `environment` as valid while `inputs` hold.
Result<void> save(const std::string& path, const Environment& environment, const Inputs& inputs);

/// The remembered environment, if every input is as it was and every tree is still there. Never fails: anything odd
/// means that the long way has to be taken.
std::optional<Environment> load_if_current(const std::string& path);

} // namespace sheaf::app
