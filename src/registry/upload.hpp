// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sends one blob to one registry, through broken connections. Source: OCI distribution-spec 1.1, "Pushing Blobs".

#include "oci/manifest.hpp"
#include "os/fd.hpp"
#include "registry/client_state.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace sheaf::registry {

class Upload {
public:
  /// All references have to live as long as this.
  Upload(Client::Impl& client, Place place, const oci::Descriptor& blob, const os::Fd& file, std::stop_token stop)
      : m_client(client), m_place(std::move(place)), m_blob(blob), m_file(file), m_stop(std::move(stop)) {}

  /// `location`: of an upload that has begun already, empty for a new one.
  Result<void> run(std::string location);

private:
  Result<net::Response> ask(std::string_view method, std::string url, net::FileRange part, bool is_last);
  Result<void> begin();
  Result<net::Response> send_rest();
  Result<void> find_position();
  Result<bool> is_there();
  Result<void> move_to(const net::Response& response);

  Client::Impl& m_client;
  Place m_place;
  const oci::Descriptor& m_blob;
  const os::Fd& m_file;
  std::stop_token m_stop;
  /// Where to go on; empty if there is no upload under way.
  std::string m_location;
  /// What the registry has of it, bytes.
  std::uint64_t m_position = 0;
};

/// Bytes that a Range header ("0-99", also "bytes=0-99") speaks of; 0 if it says nothing usable.
std::uint64_t bytes_in_range(std::string_view range);

} // namespace sheaf::registry
