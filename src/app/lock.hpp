// SPDX-License-Identifier: Apache-2.0
#pragma once

// sheaf.lock of a project: made from a stack that was built, and held against one that is planned.

#include "app/build_stack.hpp"
#include "catalogue/lock_file.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::app {

/// What the stack was made of.
Result<catalogue::LockFile> lock_of(const Wanted& wanted, const BuiltStack& stack, const Session& session);

/// Held while the lock file of the project is read and written: one process at a time does that.
Result<os::FileLock> lock_project(const Choices& choices, store::Store& store, const std::stop_token& stop);

Result<void> write_lock_file(const std::string& project_root, const catalogue::LockFile& lock);

/// Before anything is built: `invalid` if the planned stack is another one than the locked, with every difference.
/// The project must have a lock.
Result<void> check_locked(const Project& project, const Wanted& wanted);

struct LockChange {
  /// False: there was no lock file.
  bool was_there = false;
  /// One line each; empty if it stayed as it was.
  std::vector<std::string> differences;
};

/// Builds what is missing and writes what the stack is made of now; versions that are settled stay, others are settled
/// as far as they can be asked for.
Result<LockChange> lock(const Choices& choices, const Session& session);

/// As `lock`, after the layers (all of the stack if none is named) were built anew from what is the newest now.
Result<LockChange> update(const Choices& choices, const std::vector<std::string>& layers, const Session& session);

} // namespace sheaf::app
