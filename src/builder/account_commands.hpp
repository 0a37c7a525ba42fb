// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ids are decided before the build, from the name: independent layers that create the same system user give it the same
// id, and different users get different ones. While a layer builds, these commands stand in front of useradd, groupadd,
// adduser, addgroup and systemd-sysusers in PATH; they add an explicit id where the caller left the choice open, and
// call the real one.

#include <map>
#include <string>

namespace sheaf::builder {

/// Name to text of a POSIX shell script.
std::map<std::string, std::string> account_commands();

/// The id that a name gets, for tests and for `sheaf layer show`: a fixed one for names known from Debian packages,
/// else one from 30000 to 59999 by a checksum of the name (Debian policy 9.2.2 reserves that range). `attempt` numbers
/// the ids that were taken before; later candidates follow from the name as well, so that two layers on one base whose
/// names meet a taken id do not both take its neighbour.
unsigned id_for_name(const std::string& name, unsigned attempt = 0);

} // namespace sheaf::builder
