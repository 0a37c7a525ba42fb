// SPDX-License-Identifier: Apache-2.0
#pragma once

// A question to a web server and its answer, as values.

#include "base/result.hpp"
#include "net/retry.hpp"
#include "os/fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::net {

/// Names in lower case, in the order they came.
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response {
  int status = 0;
  Headers headers;
  /// Empty if the content went to a sink.
  std::string body;
  /// Where it came from in the end, after redirects.
  std::string url;

  /// The first of this name (lower case); empty if there is none.
  std::string_view header(std::string_view name) const;
  bool ok() const { return status >= 200 && status < 300; }
  /// Content-Length, if it is a number.
  std::optional<std::uint64_t> content_length() const;
};

/// A part of a file, as the content of a request.
struct FileRange {
  /// Open for reading; has to live as long as the request. Its position is neither used nor moved.
  const os::Fd* file = nullptr;
  std::uint64_t offset = 0; ///< bytes
  std::uint64_t length = 0; ///< bytes
};

/// Whom to believe, and who we are, in TLS.
struct Trust {
  /// PEM files, believed beside the authorities of the system.
  std::vector<std::string> authorities;
  std::string client_certificate;
  std::string client_key;
  /// Any certificate will do.
  bool anyone = false;
  bool operator==(const Trust&) const = default;
};

enum class PlainHttp { refused, permitted };
enum class Redirects { followed, given_back };

/// Takes content in order.
using Sink = std::function<Result<void>(std::string_view bytes)>;

struct Request {
  std::string method = "GET";
  std::string url;
  /// Authorization and Cookie never go to another scheme, host or port than that of `url`.
  Headers headers;
  std::string body;
  /// Instead of `body`.
  std::optional<FileRange> file;
  /// Told how many bytes of `file` were sent, as they go.
  std::function<void(std::uint64_t bytes)> sent;
  Trust trust;
  PlainHttp plain_http = PlainHttp::permitted;
  Redirects redirects = Redirects::followed;

  /// Gets the content of a successful answer as it comes; broken transfers go on where they broke (Range).
  Sink sink;
  /// For a sink whose content may change between two attempts: begins anew instead of going on.
  std::function<Result<void>()> restart;
  /// What the sink has already.
  std::uint64_t offset = 0;
  /// All bytes there are, if that is known: another size is `corrupt`, as soon as it shows.
  std::optional<std::uint64_t> size;
  /// Without a sink: a longer answer is `corrupt`.
  std::uint64_t most_bytes = 4U << 20U;

  /// Given an answer 401 of the host of `url`; true if the request was changed so that it may be asked again, once.
  std::function<Result<bool>(Request&, const Response&)> authorise;
  RetryPolicy retry;
  std::chrono::seconds connect_limit{30};
  /// A transfer that stands still for so long is given up.
  std::chrono::seconds stall_limit{60};
  /// Not to be seen in any message.
  std::vector<std::string> secrets;
};

/// `text` with "***" where a secret (of 4 and more bytes, or percent-encoded) stood.
std::string redacted(std::string text, const std::vector<std::string>& secrets);
/// Sets or replaces a header; an empty value removes it.
void set_header(Headers& headers, std::string_view name, std::string_view value);

} // namespace sheaf::net
