// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes the files of an image to where the user wants them (`sheaf build --output`).

#include "store/image_record.hpp"
#include "store/store.hpp"

#include <string>
#include <string_view>

namespace sheaf::app {

struct OutputRequest {
  enum class Kind {
    directory, ///< type=local
    tar,       ///< type=tar
    nothing,   ///< type=cacheonly
  };
  Kind kind = Kind::directory;
  /// A path; "-" for standard output (tar).
  std::string destination;
};

/// "type=tar,dest=FILE", or a path alone for type=local, "-" for a tar on standard output. `invalid` for anything else;
/// `unsupported` for types that docker knows and we do not yet.
Result<OutputRequest> parse_output(std::string_view text);

/// `trees` bottom first, as mounted by overlayfs. Nothing of a tar is left behind if it fails.
Result<void> write_output(const OutputRequest& request, const std::vector<std::string>& trees, store::Store& store);

} // namespace sheaf::app
