// SPDX-License-Identifier: Apache-2.0
#include "containerfile/port.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <tuple>
#include <utility>

namespace sheaf::containerfile {
namespace {

constexpr unsigned k_last_port = 65535;

std::optional<std::pair<unsigned, unsigned>> range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = to_number<unsigned>(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : to_number<unsigned>(text.substr(dash + 1));
  if (!first || !last || *first > *last || *last > k_last_port) {
    return std::nullopt;
  }
  return std::pair(*first, *last);
}

/// IPv4 as four numbers, IPv6 by its characters only: the address is dropped anyway.
bool is_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  if (text.find(':') != std::string_view::npos) {
    return std::all_of(text.begin(), text.end(), [](char c) {
      return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
    });
  }
  const auto numbers = split(text, '.');
  return numbers.size() == 4 && std::all_of(numbers.begin(), numbers.end(), [](std::string_view number) {
           const auto value = to_number<unsigned>(number);
           return value && *value <= 255;
         });
}

Error mistake(std::string message) {
  return Error(ErrorCode::invalid, std::move(message))
      .with_hint("write a port or a range, with '/tcp', '/udp' or '/sctp' if need be: '80', '53/udp', '8000-8010'");
}

/// What stands in front of the container's port: "ip:port" or "port", both may be empty.
Result<bool> check_host_part(std::string_view host, const Ports& ports) {
  const auto colon = host.rfind(':');
  const auto address = colon == std::string_view::npos ? std::string_view() : host.substr(0, colon);
  const auto port = colon == std::string_view::npos ? host : host.substr(colon + 1);
  if (!address.empty() && !is_address(address)) {
    return mistake(fmt::format("'{}' is no IP address", address));
  }
  if (port.empty()) {
    return true;
  }
  const auto of_host = range(port);
  if (!of_host) {
    return mistake(fmt::format("'{}' is no port of the host", port));
  }
  if (ports.first != ports.last && ports.last - ports.first != of_host->second - of_host->first) {
    return mistake(fmt::format("'{}' are not as many ports as '{}-{}'", port, ports.first, ports.last));
  }
  return true;
}

} // namespace

std::vector<std::string> Ports::names() const {
  std::vector<std::string> names;
  for (auto port = first; port <= last; ++port) {
    names.push_back(fmt::format("{}/{}", port, protocol));
  }
  return names;
}

Result<Ports> parse_ports(std::string_view text) {
  const auto colon = text.rfind(':');
  auto container = colon == std::string_view::npos ? text : text.substr(colon + 1);
  Ports ports;
  if (const auto slash = container.find('/'); slash != std::string_view::npos) {
    ports.written_protocol = container.substr(slash + 1);
    container = container.substr(0, slash);
  }
  ports.protocol = ports.written_protocol.empty() ? "tcp" : ports.written_protocol;
  std::transform(ports.protocol.begin(), ports.protocol.end(), ports.protocol.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  if (ports.protocol != "tcp" && ports.protocol != "udp" && ports.protocol != "sctp") {
    return mistake(fmt::format("'{}' is no protocol of a port", ports.written_protocol));
  }
  const auto numbers = range(container);
  if (!numbers) {
    return mistake(fmt::format("'{}' is no port", container));
  }
  std::tie(ports.first, ports.last) = *numbers;
  if (colon != std::string_view::npos) {
    ports.maps_host = true;
    SHEAF_TRY(check_host_part(text.substr(0, colon), ports));
  }
  return ports;
}

} // namespace sheaf::containerfile
