// SPDX-License-Identifier: Apache-2.0
#include "net/exchange.hpp"

#include "base/text.hpp"
#include "net/url.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <ctime>
#include <limits>
#include <memory>

namespace sheaf::net {
namespace {

/// libcurl's largest buffers: few calls back for many bytes.
constexpr long k_receive_buffer = 512L << 10U;
constexpr long k_send_buffer = 2L << 20U;
constexpr long k_slow_bytes_per_second = 1;
/// What is kept of the text beside an error.
constexpr std::size_t k_most_error_text = 64U << 10U;
constexpr std::size_t k_most_headers = 1000;

/// A peer that hangs up must not end this process: TLS libraries write without MSG_NOSIGNAL.
class WithoutSigpipe {
public:
  WithoutSigpipe() {
    sigemptyset(&m_pipe);
    sigaddset(&m_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &m_pipe, &m_before);
  }
  ~WithoutSigpipe() {
    const timespec at_once{};
    if (sigismember(&m_before, SIGPIPE) == 0) {
      while (sigtimedwait(&m_pipe, nullptr, &at_once) > 0) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
  sigset_t m_pipe{};
  sigset_t m_before{};
};

/// libcurl's own sockets would go on to our children, and are kept open between requests.
curl_socket_t open_socket(void* /*user*/, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// "NAME:PASSWORD" of a proxy; empty if it has none.
std::string user_info_of(const char* variable) {
  const auto proxy = os::environment(variable).value_or("");
  const auto start = proxy.find("://") == std::string::npos ? 0 : proxy.find("://") + 3;
  const auto at = proxy.substr(0, proxy.find_first_of("/?#", start)).rfind('@');
  return at == std::string::npos || at < start ? std::string() : proxy.substr(start, at - start);
}

/// libcurl's callbacks get a pointer to it.
class Transfer {
public:
  Transfer(const CurlLibrary& curl, CURL* handle, const Request& request, std::uint64_t& received, std::stop_token stop)
      : m_curl(curl),
        m_handle(handle),
        m_request(request),
        m_received(received),
        m_stop(std::move(stop)),
        m_header_lines(nullptr, curl.slist_free_all) {}

  Outcome perform() {
    if (auto prepared = prepare(); !prepared) {
      return {{}, prepared.error(), false};
    }
    const WithoutSigpipe guard;
    const auto code = m_curl.easy_perform(m_handle);
    Outcome outcome;
    if (m_stop.stop_requested()) {
      outcome.failure = Error(ErrorCode::cancelled, "stopped");
    } else if (code != CURLE_OK) {
      outcome.failure = failure(code);
      outcome.is_temporary = !m_error && is_temporary(code);
      outcome.is_unreachable = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    } else if (auto complete = check_end(); !complete) {
      outcome.failure = complete.error();
      outcome.is_temporary = complete.error().code() == ErrorCode::network;
    }
    m_response.url = m_request.url;
    outcome.response = std::move(m_response);
    return outcome;
  }

private:
  template <class Value>
  void set(CURLoption option, Value value) {
    m_curl.easy_setopt(m_handle, option, value);
  }

  Result<void> prepare() {
    m_curl.easy_reset(m_handle);
    SHEAF_TRY_ASSIGN(const auto url, Url::parse(m_request.url));
    if (url.scheme == "http" && m_request.plain_http == PlainHttp::refused) {
      return Error(ErrorCode::denied, fmt::format("'{}' would be reached without encryption", url.shown()));
    }
    set(CURLOPT_URL, m_request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    // One handle has one connection: HTTP/2 would only add its framing and its windows.
    set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_BUFFERSIZE, k_receive_buffer);
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(m_request.connect_limit.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, k_slow_bytes_per_second);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(m_request.stall_limit.count()));
    set(CURLOPT_USERAGENT, "sheaf/" SHEAF_VERSION);
    set(CURLOPT_ERRORBUFFER, m_message.data());
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::take_bytes);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::check_stop);
    set(CURLOPT_XFERINFODATA, this);
    prepare_proxy(url);
    prepare_method();
    prepare_headers();
    return prepare_trust();
  }

  /// libcurl reads the variables itself, but leaves out HTTP_PROXY and asks proxies for this machine.
  void prepare_proxy(const Url& url) {
    if (is_loopback(url.authority)) {
      set(CURLOPT_PROXY, "");
    } else if (const auto proxy = os::environment("HTTP_PROXY");
               url.scheme == "http" && proxy && !os::environment("http_proxy")) {
      set(CURLOPT_PROXY, proxy->c_str());
    }
  }

  void prepare_method() {
    if (m_request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (m_request.file) {
      // No CURLOPT_SEEKFUNCTION: libcurl would send all again on its own when a kept connection breaks.
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_UPLOAD_BUFFERSIZE, k_send_buffer);
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(m_request.file->length));
      set(CURLOPT_READFUNCTION, &Transfer::give_bytes);
      set(CURLOPT_READDATA, this);
    } else if (m_request.method != "GET" && m_request.method != "DELETE") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(m_request.body.size()));
      set(CURLOPT_POSTFIELDS, m_request.body.c_str());
    }
    if (m_request.method != "HEAD" && m_request.method != "GET") {
      set(CURLOPT_CUSTOMREQUEST, m_request.method.c_str());
    }
  }

  void add_line(const std::string& line) {
    m_header_lines.reset(m_curl.slist_append(m_header_lines.release(), line.c_str()));
  }

  void prepare_headers() {
    for (const auto& [name, value] : m_request.headers) {
      add_line(fmt::format("{}: {}", name, value));
    }
    const auto has = [&](std::string_view name) {
      return std::ranges::any_of(m_request.headers, [&](const auto& header) { return header.first == name; });
    };
    // Nobody waits for "100 Continue"; contents of ours are no form.
    add_line("Expect:");
    if (!has("content-type")) {
      add_line("Content-Type:");
    }
    if (m_request.sink && m_received > 0) {
      add_line(fmt::format("Range: bytes={}-", m_received));
    }
    set(CURLOPT_HTTPHEADER, m_header_lines.get());
  }

  Result<void> prepare_trust() {
    const auto& trust = m_request.trust;
    if (const auto file = os::environment("SSL_CERT_FILE")) {
      set(CURLOPT_CAINFO, file->c_str());
    }
    if (!trust.authorities.empty()) {
      std::string all;
      for (const auto& file : trust.authorities) {
        const auto text = os::read_file(file);
        if (!text) { // nobody may take it for an answer that says "not found"
          return Error(ErrorCode::denied, "reading certificates of authorities: " + text.error().summary());
        }
        all.append(*text).append("\n");
      }
      // The authorities of the system stay: they are in CURLOPT_CAPATH.
      curl_blob blob{all.data(), all.size(), CURL_BLOB_COPY};
      set(CURLOPT_CAINFO_BLOB, &blob);
    }
    if (!trust.client_certificate.empty()) {
      set(CURLOPT_SSLCERT, trust.client_certificate.c_str());
      set(CURLOPT_SSLKEY, trust.client_key.empty() ? trust.client_certificate.c_str() : trust.client_key.c_str());
    }
    if (trust.anyone) {
      set(CURLOPT_SSL_VERIFYPEER, 0L);
      set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return {};
  }

  static bool is_temporary(CURLcode code) {
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR: // mostly a server that does not speak TLS
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_OUT_OF_MEMORY:
      return false;
    default:
      return true;
    }
  }

  Error failure(CURLcode code) {
    if (m_error) {
      return *m_error;
    }
    const std::string_view said = m_message.data();
    auto secrets = m_request.secrets;
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
      secrets.push_back(user_info_of(name)); // libcurl may show all of it
    }
    const auto text = redacted(said.empty() ? std::string(m_curl.easy_strerror(code)) : std::string(said), secrets);
    const bool is_trust = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM;
    Error error(is_trust ? ErrorCode::denied : ErrorCode::network, text);
    return code != CURLE_SSL_CONNECT_ERROR
               ? error
               : std::move(error).with_hint("does it speak TLS? A host without has to be named insecure in the "
                                            "settings: 'registries: {HOST: {insecure: true}}' in config.yml");
  }

  static std::size_t take_header(const char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->add_header({bytes, size * count}) ? size * count : 0;
  }

  bool add_header(std::string_view line) {
    if (line.starts_with("HTTP/")) { // again after an interim answer
      m_response = {};
      const auto words = split(trim(line), ' ');
      m_response.status = words.size() > 1 ? to_number<int>(words[1]).value_or(0) : 0;
      return true;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      return true;
    }
    std::string name(trim(line.substr(0, colon)));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    m_response.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
    return m_response.headers.size() <= k_most_headers || fail(ErrorCode::corrupt, "the answer has too many headers");
  }

  bool fail(ErrorCode code, std::string message) {
    m_error = Error(code, std::move(message));
    return false;
  }

  bool goes_to_sink() const { return m_request.sink && m_response.ok(); }

  /// Before the first byte of a successful answer: is it what was asked for?
  bool begin_content() {
    m_has_begun = true;
    auto all = m_response.content_length();
    if (m_response.status == 206) {
      const auto range = m_response.header("content-range"); // "bytes 10-99/100"
      const auto first = range.substr(std::min(range.find(' '), range.size() - 1) + 1);
      if (range.empty() || to_number<std::uint64_t>(first.substr(0, first.find('-'))) != m_received) {
        return fail(ErrorCode::corrupt, "the server answered with another range than was asked for");
      }
      all = to_number<std::uint64_t>(range.substr(range.rfind('/') + 1));
    } else {
      m_skip = m_received; // the server knows no ranges
    }
    if (m_request.size && all && *all != *m_request.size) {
      return fail(ErrorCode::corrupt,
                  fmt::format("the server has {} bytes, not the {} there should be", *all, *m_request.size));
    }
    return true;
  }

  static std::size_t take_bytes(const char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->take({bytes, size * count}) ? size * count : 0;
  }

  bool take(std::string_view bytes) {
    if (goes_to_sink()) {
      return (m_has_begun || begin_content()) && give_to_sink(bytes);
    }
    const auto most = m_response.ok() ? m_request.most_bytes : k_most_error_text;
    if (m_response.body.size() + bytes.size() <= most) {
      m_response.body.append(bytes);
      return true;
    }
    if (m_response.ok()) {
      return fail(ErrorCode::corrupt, fmt::format("the answer is longer than {} bytes", most));
    }
    return true;
  }

  bool give_to_sink(std::string_view bytes) {
    const auto skipped = std::min<std::uint64_t>(m_skip, bytes.size());
    m_skip -= skipped;
    bytes.remove_prefix(skipped);
    if (m_request.size && m_received + bytes.size() > *m_request.size) {
      return fail(ErrorCode::corrupt,
                  fmt::format("the server sends more than the {} bytes there should be", *m_request.size));
    }
    if (bytes.empty()) {
      return true;
    }
    if (auto taken = m_request.sink(bytes); !taken) {
      m_error = taken.error();
      return false;
    }
    m_received += bytes.size();
    return true;
  }

  /// After an answer that libcurl takes for complete.
  Result<void> check_end() {
    if (!goes_to_sink()) {
      return {};
    }
    if (!m_has_begun && !begin_content()) {
      return *m_error;
    }
    if (m_request.size && m_received < *m_request.size) {
      return Error(ErrorCode::network,
                   fmt::format("the answer ended after {} of {} bytes", m_received, *m_request.size));
    }
    return {};
  }

  static std::size_t give_bytes(char* buffer, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->read_file(buffer, size * count);
  }

  std::size_t read_file(char* buffer, std::size_t room) {
    const auto& range = *m_request.file;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room, range.length - m_sent));
    if (wanted == 0) {
      return 0;
    }
    const auto got = pread(range.file->get(), buffer, wanted, static_cast<off_t>(range.offset + m_sent));
    if (got <= 0) {
      m_error = got < 0 ? Error::from_errno(errno, "reading the file to be sent")
                        : Error(ErrorCode::corrupt, "the file to be sent became shorter");
      return CURL_READFUNC_ABORT;
    }
    m_sent += static_cast<std::uint64_t>(got);
    if (m_request.sent) {
      m_request.sent(static_cast<std::uint64_t>(got));
    }
    return static_cast<std::size_t>(got);
  }

  static int check_stop(void* self, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up_total*/,
                        curl_off_t /*up_now*/) {
    return static_cast<Transfer*>(self)->m_stop.stop_requested() ? 1 : 0;
  }

  const CurlLibrary& m_curl;
  CURL* m_handle;
  const Request& m_request;
  std::uint64_t& m_received;
  std::stop_token m_stop;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> m_header_lines;
  Response m_response;
  std::optional<Error> m_error;
  std::uint64_t m_skip = 0;
  std::uint64_t m_sent = 0;
  bool m_has_begun = false;
  std::array<char, CURL_ERROR_SIZE> m_message{};
};

} // namespace

Outcome exchange(const CurlLibrary& curl, CURL* handle, const Request& request, std::uint64_t& received,
                 std::stop_token stop) {
  return Transfer(curl, handle, request, received, std::move(stop)).perform();
}

} // namespace sheaf::net
