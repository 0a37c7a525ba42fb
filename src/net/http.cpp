// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"

#include "base/text.hpp"
#include "net/curl_library.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <memory>
#include <thread>

namespace sheaf::net {
namespace {

constexpr int k_attempts = 3;
constexpr long k_most_redirects = 10;
constexpr long k_connect_seconds = 30;
/// A transfer that gets less than this for so long is given up.
constexpr long k_slow_bytes_per_second = 10;
constexpr long k_slow_seconds = 60;

enum class Ask { content, headers_only };

/// One request. libcurl's callbacks get a pointer to it.
class Transfer {
public:
  Transfer(const CurlLibrary& curl, std::string url, const os::Fd* file, std::stop_token stop)
      : m_curl(curl),
        m_handle(curl.easy_init(), curl.easy_cleanup),
        m_url(std::move(url)),
        m_file(file),
        m_stop(std::move(stop)) {}

  Result<FileVersion> perform(Ask ask) {
    if (!m_handle) {
      return Error(ErrorCode::internal, "libcurl gave no handle");
    }
    prepare(ask);
    const auto outcome = m_curl.easy_perform(m_handle.get());
    long status = 0;
    m_curl.easy_getinfo(m_handle.get(), CURLINFO_RESPONSE_CODE, &status);
    if (m_stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    if (outcome != CURLE_OK) {
      return failure(outcome, status);
    }
    curl_off_t modified = -1;
    m_curl.easy_getinfo(m_handle.get(), CURLINFO_FILETIME_T, &modified);
    m_version.modified = std::max<curl_off_t>(0, modified);
    return m_version;
  }

  /// Another attempt may go better.
  bool is_worth_another_try() const { return m_is_temporary; }

private:
  template <class Value>
  void set(CURLoption option, Value value) {
    m_curl.easy_setopt(m_handle.get(), option, value);
  }

  void prepare(Ask ask) {
    set(CURLOPT_URL, m_url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, k_most_redirects);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FILETIME, 1L);
    set(CURLOPT_CONNECTTIMEOUT, k_connect_seconds);
    set(CURLOPT_LOW_SPEED_LIMIT, k_slow_bytes_per_second);
    set(CURLOPT_LOW_SPEED_TIME, k_slow_seconds);
    set(CURLOPT_USERAGENT, "sheaf/" SHEAF_VERSION);
    set(CURLOPT_ERRORBUFFER, m_message.data());
    set(CURLOPT_NOBODY, ask == Ask::headers_only ? 1L : 0L);
    set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::take_bytes);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::check_stop);
    set(CURLOPT_XFERINFODATA, this);
  }

  Error failure(CURLcode outcome, long status) {
    m_is_temporary = outcome != CURLE_WRITE_ERROR && outcome != CURLE_UNSUPPORTED_PROTOCOL &&
                     outcome != CURLE_URL_MALFORMAT && outcome != CURLE_PEER_FAILED_VERIFICATION &&
                     (status == 0 || status == 408 || status == 429 || status >= 500);
    if (outcome == CURLE_HTTP_RETURNED_ERROR) {
      return {status == 404 || status == 410 ? ErrorCode::not_found : ErrorCode::network,
              fmt::format("the server answered with status {}", status)};
    }
    if (m_write_error) {
      return *m_write_error;
    }
    const std::string_view said = m_message.data();
    return {ErrorCode::network, said.empty() ? m_curl.easy_strerror(outcome) : std::string(said)};
  }

  static std::size_t take_header(const char* bytes, std::size_t size, std::size_t count, void* self) {
    static_cast<Transfer*>(self)->add_header({bytes, size * count});
    return size * count;
  }

  void add_header(std::string_view line) {
    if (line.starts_with("HTTP/")) { // of the next answer, after a redirect
      m_version = {};
      return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      return;
    }
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string value(trim(line.substr(colon + 1)));
    if (name == "etag") {
      m_version.etag = value;
    } else if (name == "last-modified") {
      m_version.last_modified = value;
    } else if (name == "content-length") {
      m_version.size = to_number<std::uint64_t>(value).value_or(0);
    } else if (name == "content-disposition") {
      m_version.name = name_in(value);
    }
  }

  /// attachment; filename="name"
  static std::string name_in(std::string_view disposition) {
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

  static std::size_t take_bytes(const char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->write({bytes, size * count}) ? size * count : 0;
  }

  bool write(std::string_view bytes) {
    if (m_file == nullptr) {
      return true;
    }
    if (auto written = os::write_all(*m_file, bytes); !written) {
      m_write_error = written.error();
      return false;
    }
    return true;
  }

  static int check_stop(void* self, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up_total*/,
                        curl_off_t /*up_now*/) {
    return static_cast<Transfer*>(self)->m_stop.stop_requested() ? 1 : 0;
  }

  const CurlLibrary& m_curl;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> m_handle;
  std::string m_url;
  const os::Fd* m_file;
  std::stop_token m_stop;
  FileVersion m_version;
  std::array<char, CURL_ERROR_SIZE> m_message{};
  std::optional<Error> m_write_error;
  bool m_is_temporary = false;
};

/// Waits a little longer before every attempt; a stop request is seen within a tenth of a second.
void wait_before(int attempt, const std::stop_token& stop) {
  using namespace std::chrono_literals;
  for (int i = 0; i < attempt * 5 && !stop.stop_requested(); ++i) {
    std::this_thread::sleep_for(100ms);
  }
}

Result<FileVersion> fetch_once(const CurlLibrary& curl, const std::string& url, const std::string& partial,
                               std::stop_token stop, bool& again) {
  SHEAF_TRY_ASSIGN(const auto file, os::open(partial, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  Transfer transfer(curl, url, &file, std::move(stop));
  auto done = transfer.perform(Ask::content);
  again = transfer.is_worth_another_try();
  return done;
}

} // namespace

std::string without_credentials(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return std::string(url);
  }
  const auto end = std::min(url.find_first_of("/?#", scheme + 3), url.size());
  const auto at = url.substr(0, end).rfind('@');
  return at == std::string_view::npos || at < scheme
             ? std::string(url)
             : fmt::format("{}{}", url.substr(0, scheme + 3), url.substr(at + 1));
}

Result<FileVersion> download(const std::string& url, const std::string& file, std::stop_token stop) {
  const auto doing = fmt::format("downloading '{}'", without_credentials(url));
  SHEAF_TRY_ASSIGN(const auto* curl, curl_library().context(doing));
  const auto partial = file + ".partial";
  for (int attempt = 1;; ++attempt) {
    bool again = false;
    auto version = fetch_once(*curl, url, partial, stop, again);
    if (version) {
      SHEAF_TRY(os::rename(partial, file).context(doing));
      return version;
    }
    if (!again || attempt == k_attempts || stop.stop_requested()) {
      ignore(os::remove_file_if_exists(partial), "a partial download lies in a directory that goes with its owner");
      return std::move(version).context(doing).error();
    }
    wait_before(attempt, stop);
  }
}

Result<FileVersion> version_of(const std::string& url, std::stop_token stop) {
  const auto doing = fmt::format("asking for '{}'", without_credentials(url));
  SHEAF_TRY_ASSIGN(const auto* curl, curl_library().context(doing));
  for (int attempt = 1;; ++attempt) {
    Transfer transfer(*curl, url, nullptr, stop);
    auto version = transfer.perform(Ask::headers_only);
    if (version || !transfer.is_worth_another_try() || attempt == k_attempts || stop.stop_requested()) {
      return std::move(version).context(doing);
    }
    wait_before(attempt, stop);
  }
}

} // namespace sheaf::net
