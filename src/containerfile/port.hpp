// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of EXPOSE, once their variables are known.

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::containerfile {

struct Ports {
  /// first <= last.
  unsigned first = 0;
  unsigned last = 0;
  /// "tcp", "udp" or "sctp".
  std::string protocol;
  /// The protocol as written; empty if it was not.
  std::string written_protocol;
  /// An address or a port of the host was given, too; it is dropped, as in BuildKit.
  bool maps_host = false;

  /// "80/tcp", one for each port: the keys of `ExposedPorts` in an image's config.
  std::vector<std::string> names() const;
};

/// Reads "80", "80/udp", "8000-8010/tcp", "127.0.0.1:80:80". `invalid` if it is none of these.
Result<Ports> parse_ports(std::string_view text);

} // namespace sheaf::containerfile
