// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"

#include "base/text.hpp"
#include "net/http_client.hpp"
#include "os/as_caller.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sheaf::net {
namespace {

constexpr int k_attempts = 3;

/// attachment; filename="name"
std::string name_in(std::string_view disposition) {
  constexpr std::string_view k_key = "filename=";
  const auto at = disposition.find(k_key);
  if (at == std::string_view::npos) {
    return {};
  }
  auto name = disposition.substr(at + k_key.size());
  name = name.starts_with('"') ? name.substr(1, name.find('"', 1) - 1) : name.substr(0, name.find(';'));
  const auto slash = name.rfind('/');
  return std::string(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

std::int64_t seconds_of(std::string_view http_date) {
  std::tm date{};
  const std::string text(http_date);
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  return end == nullptr ? 0 : std::max<std::int64_t>(0, timegm(&date));
}

FileVersion version_in(const Response& response) {
  FileVersion version;
  version.etag = response.header("etag");
  version.last_modified = response.header("last-modified");
  version.size = response.content_length().value_or(0);
  version.name = name_in(response.header("content-disposition"));
  version.modified = seconds_of(version.last_modified);
  return version;
}

Result<FileVersion> ask(Request request, std::stop_token stop) {
  request.retry.attempts = k_attempts;
  HttpClient client;
  SHEAF_TRY_ASSIGN(const auto response, client.send(std::move(request), std::move(stop)));
  if (!response.ok()) {
    const bool is_missing = response.status == 404 || response.status == 410;
    return Error(is_missing ? ErrorCode::not_found : ErrorCode::network,
                 fmt::format("the server answered with status {}", response.status));
  }
  return version_in(response);
}

Result<FileVersion> fetch(const std::string& url, const std::string& partial, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto file, os::open(partial, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  Request request;
  request.url = url;
  request.sink = [&](std::string_view bytes) { return os::write_all(file, bytes); };
  // What the URL names may have changed since the last attempt.
  request.restart = [&]() -> Result<void> {
    if (os::uninterrupted([&] { return ftruncate(file.get(), 0); }) != 0 || lseek(file.get(), 0, SEEK_SET) != 0) {
      return Error::from_errno(errno, fmt::format("emptying '{}'", partial));
    }
    return {};
  };
  return ask(std::move(request), std::move(stop));
}

} // namespace

Result<FileVersion> download(const std::string& url, const std::string& file, std::stop_token stop) {
  const auto doing = fmt::format("downloading '{}'", without_credentials(url));
  const auto partial = file + ".partial";
  auto version = fetch(url, partial, std::move(stop)).context(doing);
  if (!version) {
    ignore(os::remove_file_if_exists(partial), "a partial download lies in a directory that goes with its owner");
    return version;
  }
  SHEAF_TRY(os::rename(partial, file).context(doing));
  return version;
}

Result<FileVersion> version_of(const std::string& url, std::stop_token stop) {
  Request request;
  request.method = "HEAD";
  request.url = url;
  return ask(std::move(request), std::move(stop)).context(fmt::format("asking for '{}'", without_credentials(url)));
}

} // namespace sheaf::net
