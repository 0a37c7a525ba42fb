// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every sandbox finds at /run/sheaf, which is never part of a layer: the host's name resolution and trusted
// certificates, and while a layer builds the commands that give new accounts their ids.

#include "base/result.hpp"
#include "sandbox/spec.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::builder {

struct SupportFiles {
  /// The folder shown at /run/sheaf.
  std::string folder;
  std::vector<sandbox::BindMount> binds;
  /// Variables that make programs trust what the host trusts, and the host's proxies.
  std::map<std::string, std::string> environment;
};

/// Where the support files appear inside.
inline constexpr const char* k_support_path = "/run/sheaf";

/// Writes what a running environment needs into `folder`. `hosts` are more lines for /etc/hosts: name, address.
Result<SupportFiles> prepare_support(const std::string& folder, const std::string& hostname,
                                     const std::vector<std::pair<std::string, std::string>>& hosts = {});
/// Loads `library` (libfaketime) into every program of the build that is linked dynamically and sets its clock ahead by
/// `k_clock_shift`. Times of files stay as they are.
Result<void> add_clock_shift(SupportFiles& support, const std::string& library);
inline constexpr const char* k_clock_shift = "+3d";

/// Adds what a build needs: account commands in /run/sheaf/bin, a place for npm's downloads.
Result<void> add_build_support(SupportFiles& support, const std::string& npm_cache);

} // namespace sheaf::builder
