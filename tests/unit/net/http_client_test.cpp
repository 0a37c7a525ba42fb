// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "net/http_client.hpp"
#include "os/file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

#include "unit/net/prepared_server.hpp"

namespace sheaf::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string answer(int status, const std::string& headers, const std::string& body = {}) {
  return fmt::format("HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     headers, body);
}

Request request_to(const std::string& url) {
  Request request;
  request.url = url;
  request.retry.attempts = 2;
  request.retry.first_delay = 1ms;
  return request;
}

Result<Response> send(Request request) {
  HttpClient client;
  return client.send(std::move(request), {});
}

TEST(HttpClient, GivesStatusHeadersAndBody) {
  const PreparedServer server({answer(418, "X-Kind:  teapot \r\nx-kind: second\r\n", "short and stout")});
  const auto response = send(request_to(server.url("/pot")));
  ASSERT_TRUE(response) << response.error().render();
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->header("x-kind"), "teapot");
  EXPECT_EQ(response->header("x-none"), "");
  EXPECT_EQ(response->body, "short and stout");
  EXPECT_EQ(response->url, server.url("/pot"));
}

TEST(HttpClient, SendsMethodHeadersAndBody) {
  const PreparedServer server({answer(201, "")});
  auto request = request_to(server.url("/x?y=1"));
  request.method = "PUT";
  request.body = "content";
  request.headers = {{"content-type", "text/x"}};
  ASSERT_TRUE(send(std::move(request)));
  const auto seen = server.requests().front();
  EXPECT_THAT(seen, HasSubstr("PUT /x?y=1 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("content-type: text/x\r\n"));
  EXPECT_THAT(seen, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(seen, testing::EndsWith("\r\n\r\ncontent"));
}

TEST(HttpClient, SendsAPartOfAFile) {
  const PreparedServer server({answer(201, "")});
  const auto file = os::memory_file("0123456789").value();
  auto request = request_to(server.url("/x"));
  request.method = "PATCH";
  request.file = FileRange{&file, 3, 4};
  std::uint64_t sent = 0;
  request.sent = [&](std::uint64_t bytes) { sent += bytes; };
  ASSERT_TRUE(send(std::move(request)));
  EXPECT_THAT(server.requests().front(), HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(server.requests().front(), testing::EndsWith("\r\n\r\n3456"));
  EXPECT_EQ(sent, 4U);
}

TEST(HttpClient, RedirectsKeepCredentialsOnTheSameHostOnly) {
  const PreparedServer other({answer(200, "", "there")});
  const PreparedServer server(
      {answer(302, "Location: /second\r\n"), answer(307, "Location: " + other.url("/y") + "\r\n")});
  auto request = request_to(server.url("/first"));
  request.headers = {{"authorization", "Basic c2VjcmV0"}, {"cookie", "id=1"}, {"accept", "x/y"}};
  const auto response = send(std::move(request));
  ASSERT_TRUE(response) << response.error().render();
  EXPECT_EQ(response->body, "there");
  EXPECT_EQ(response->url, other.url("/y"));
  EXPECT_THAT(server.requests().at(1), HasSubstr("GET /second "));
  EXPECT_THAT(server.requests().at(1), HasSubstr("c2VjcmV0"));
  EXPECT_THAT(other.requests().front(), Not(HasSubstr("c2VjcmV0")));
  EXPECT_THAT(other.requests().front(), Not(HasSubstr("id=1")));
  EXPECT_THAT(other.requests().front(), HasSubstr("x/y"));
}

TEST(HttpClient, RedirectsWithoutEndAreAnError) {
  const PreparedServer server({answer(302, "Location: /again\r\n")});
  const auto response = send(request_to(server.url("/")));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), ErrorCode::network);
  EXPECT_EQ(server.connections(), 11);
}

TEST(HttpClient, RedirectsToOtherSchemesAreRefused) {
  for (const auto* target : {"file:///etc/passwd", "ftp://example.org/x", "gopher://x"}) {
    const PreparedServer server({answer(302, fmt::format("Location: {}\r\n", target))});
    const auto response = send(request_to(server.url("/")));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::invalid);
  }
}

TEST(HttpClient, RedirectsMayBeGivenBack) {
  const PreparedServer server({answer(302, "Location: /again\r\n")});
  auto request = request_to(server.url("/"));
  request.redirects = Redirects::given_back;
  EXPECT_EQ(send(std::move(request))->status, 302);
}

TEST(HttpClient, PlainHttpMayBeRefused) {
  const PreparedServer server({answer(200, "")});
  auto request = request_to(server.url("/"));
  request.plain_http = PlainHttp::refused;
  EXPECT_EQ(send(std::move(request)).error().code(), ErrorCode::denied);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, ALongAnswerIsRefused) {
  const PreparedServer server({answer(200, "", "0123456789")});
  auto request = request_to(server.url("/"));
  request.most_bytes = 5;
  EXPECT_EQ(send(std::move(request)).error().code(), ErrorCode::corrupt);
}

TEST(HttpClient, AnAnswerThatDoesNotComeIsGivenUp) {
  const PreparedServer server({""});
  auto request = request_to(server.url("/"));
  request.stall_limit = 1s;
  request.retry.attempts = 1;
  EXPECT_EQ(send(std::move(request)).error().code(), ErrorCode::network);
}

/// As many attempts as this allows would take hours.
TEST(HttpClient, AServerThatIsNotThereIsGivenUpSoon) {
  std::string url;
  {
    const PreparedServer gone({});
    url = gone.url("/");
  }
  for (const auto& nobody : {url, std::string("http://nobody.invalid/")}) {
    auto request = request_to(nobody);
    request.retry.attempts = 1'000;
    EXPECT_EQ(send(std::move(request)).error().code(), ErrorCode::network);
  }
}

TEST(HttpClient, AnotherRangeThanAskedForIsCorrupt) {
  const PreparedServer server({answer(206, "Content-Range: bytes 3-9/10\r\n", "3456789")});
  auto request = request_to(server.url("/"));
  request.offset = 5;
  request.sink = [](std::string_view) { return Result<void>(); };
  EXPECT_EQ(send(std::move(request)).error().code(), ErrorCode::corrupt);
}

TEST(HttpClient, GarbageIsNoAnswer) {
  for (const std::string text : {"SSH-2.0-x\r\n", "HTTP/1.1 999999999999 X\r\n\r\n", "\r\n\r\n", "HTTP/1.1 200 OK"}) {
    const PreparedServer server({text});
    const auto response = send(request_to(server.url("/")));
    EXPECT_FALSE(response && response->ok() && !response->body.empty()) << text;
  }
}

/// Do all sockets of this process end with an exec?
bool all_sockets_are_ours_alone() {
  bool all = true;
  const auto open_files = os::list_directory("/proc/self/fd").value();
  for (const auto& [name, type] : open_files) {
    const int fd = to_number<int>(name).value_or(-1);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const bool is_connection = getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (is_connection && address.ss_family == AF_INET) {
      all = all && (static_cast<unsigned>(fcntl(fd, F_GETFD)) & static_cast<unsigned>(FD_CLOEXEC)) != 0;
    }
  }
  return all;
}

TEST(HttpClient, ConnectionsDoNotGoOnToChildren) {
  const PreparedServer server({answer(200, "", "0123456789")});
  auto request = request_to(server.url("/"));
  bool were_asked = false;
  request.sink = [&](std::string_view) -> Result<void> {
    were_asked = true;
    EXPECT_TRUE(all_sockets_are_ours_alone());
    return {};
  };
  EXPECT_TRUE(send(std::move(request)));
  EXPECT_TRUE(were_asked);
}

TEST(HttpClient, ContentOfErrorsIsNotForTheSink) {
  const PreparedServer server({answer(404, "", "not this")});
  auto request = request_to(server.url("/"));
  std::string given;
  request.sink = [&](std::string_view bytes) -> Result<void> {
    given += bytes;
    return {};
  };
  const auto response = send(std::move(request));
  EXPECT_EQ(response->body, "not this");
  EXPECT_EQ(given, "");
}

} // namespace
} // namespace sheaf::net
