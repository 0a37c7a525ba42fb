// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ids are decided before the build, from the name: independent layers that create the same system user give it the same
// id, and different users get different ones. While a layer builds, these commands stand in front of useradd, groupadd,
// adduser and addgroup in PATH; they add an explicit id where the caller left the choice open, and call the real one.

#include <map>
#include <string>

namespace sheaf::builder {

/// Name to text of a POSIX shell script.
std::map<std::string, std::string> account_commands();

/// The id that a name gets, for tests and for `sheaf layer show`: a fixed one for names known from Debian packages,
/// else one from 30000 to 59999 by a checksum of the name (Debian policy 9.2.2 reserves that range).
unsigned id_for_name(const std::string& name);

} // namespace sheaf::builder
