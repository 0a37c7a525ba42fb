// SPDX-License-Identifier: Apache-2.0
#pragma once

// For what can be made again (join layers, generated files): instead of waiting for the disk when it is committed, a
// seal says in which run of the machine it was written and what it held. Within that run the files are as written;
// after a reboot, which may have been a crash, they are compared with the seal once, and thrown away if they differ.

#include "base/digest.hpp"
#include "base/result.hpp"

#include <string>

namespace sheaf::store {

/// Writes "seal" into the folder: the machine's boot id and the digest of all else in it.
Result<void> seal(const std::string& folder);

/// True if the folder holds what was sealed. After a reboot every file is read, and the seal is renewed if all is well.
bool is_intact(const std::string& folder);

/// As above, and always reads; an error if it could not be read just now.
Result<bool> is_as_sealed(const std::string& folder);

/// For a folder whose digest is recorded elsewhere: the seal says only in which run of the machine it was written.
Result<void> seal_tree(const std::string& folder);
/// True if "tree" in the folder is what was digested (TreeDigest::exact). Within the boot in which it was written it
/// is; after that it is read and compared once.
bool is_tree_intact(const std::string& folder, const Digest& exact);

} // namespace sheaf::store
