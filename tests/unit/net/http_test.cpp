// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace sheaf::net {
namespace {

using testing::HasSubstr;

/// Answers each connection with the next of some prepared texts; the last one is used again and again.
class Server {
public:
  explicit Server(std::vector<std::string> answers) : m_answers(std::move(answers)) {
    m_socket = os::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(m_socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(m_socket.get(), 8), 0);
    EXPECT_EQ(getsockname(m_socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    m_port = ntohs(address.sin_port);
    m_thread = std::jthread([this] { serve(); });
  }
  ~Server() { shutdown(m_socket.get(), SHUT_RDWR); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(m_port) + path; }
  int connections() const { return m_connections; }

private:
  void serve() {
    for (;;) {
      const os::Fd client(accept4(m_socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) {
        return;
      }
      std::array<char, 4096> request{};
      [[maybe_unused]] const auto got = read(client.get(), request.data(), request.size());
      const auto number = static_cast<std::size_t>(m_connections++);
      ignore(os::write_all(client, m_answers[std::min(number, m_answers.size() - 1)]), "the client may be gone");
    }
  }

  std::vector<std::string> m_answers;
  os::Fd m_socket;
  unsigned m_port = 0;
  std::atomic<int> m_connections = 0;
  std::jthread m_thread;
};

const std::string k_found = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"v1\"\r\nConnection: close\r\n"
                            "Content-Disposition: attachment; filename=\"../x.tar\"\r\n\r\nhello";
const std::string k_busy = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const std::string k_missing = "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const std::string k_cut = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello";

TEST(Http, DownloadsAFileAndItsVersion) {
  const Server server({k_found});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  const auto version = download(server.url("/x"), folder.path() + "/x", {});
  ASSERT_TRUE(version) << version.error().render();
  EXPECT_EQ(version->etag, "\"v1\"");
  EXPECT_EQ(version->size, 5U);
  EXPECT_EQ(version->name, "x.tar");
  EXPECT_EQ(os::read_file(folder.path() + "/x").value(), "hello");
}

TEST(Http, TriesAgainWhenTheServerIsBusy) {
  const Server server({k_busy, k_found});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  EXPECT_TRUE(download(server.url("/x"), folder.path() + "/x", {}));
  EXPECT_EQ(server.connections(), 2);
}

TEST(Http, AMissingFileIsNotAskedForAgain) {
  const Server server({k_missing});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  const auto version = download(server.url("/x"), folder.path() + "/x", {});
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), ErrorCode::not_found);
  EXPECT_THAT(version.error().render(), HasSubstr("status 404"));
  EXPECT_EQ(server.connections(), 1);
}

TEST(Http, ATransferThatWasCutLeavesNoFile) {
  const Server server({k_cut});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  const auto version = download(server.url("/x"), folder.path() + "/x", {});
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), ErrorCode::network);
  EXPECT_TRUE(os::list_directory(folder.path()).value().empty());
}

TEST(Http, PasswordsAreNotShown) {
  EXPECT_EQ(without_credentials("https://me:secret@example.org/a@b"), "https://example.org/a@b");
  EXPECT_EQ(without_credentials("https://example.org/a@b"), "https://example.org/a@b");
  EXPECT_EQ(without_credentials("git@example.org:a"), "git@example.org:a");
  const auto failed = download("http://me:secret@127.0.0.1:1/x", testing::TempDir() + "/never", {});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().render(), testing::Not(HasSubstr("secret")));
}

} // namespace
} // namespace sheaf::net
