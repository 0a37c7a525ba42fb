// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a build takes its Containerfile and its files from: a directory, standard input, a git repository or a URL, by
// the rules of `docker build`.

#include "base/source_text.hpp"
#include "builder/image_builder.hpp"
#include "store/store.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace sheaf::app {

/// The words of the command line.
struct ContextRequest {
  /// A directory, "-", or a URL.
  std::string context = ".";
  /// A path, or "-" for standard input; nothing for the usual names in the context.
  std::optional<std::string> file;
};

struct BuildContext {
  std::shared_ptr<const SourceText> containerfile;
  /// Nothing: there is only the Containerfile.
  std::optional<builder::ContextFolder> folder;
  /// Where the ignore file stands, for messages.
  std::string ignore_name;
  /// Holds a context that came from elsewhere; it goes with this value.
  std::optional<store::Staging> fetched;
};

/// `not_found` names what is missing and the names that were tried.
Result<BuildContext> open_context(const ContextRequest& request, store::Store& store, std::stop_token stop);

/// A folder of --build-context: no Containerfile is looked for, the ignore file of the folder holds.
Result<builder::ContextFolder> open_named_context(const std::string& path);

} // namespace sheaf::app
