// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "os/fd.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sheaf::net {

/// Answers each connection with the next of some prepared texts; the last one is used again and again. An empty text is
/// no answer.
class PreparedServer {
public:
  explicit PreparedServer(std::vector<std::string> answers) : m_answers(std::move(answers)) {
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
  ~PreparedServer() { shutdown(m_socket.get(), SHUT_RDWR); }
  PreparedServer(const PreparedServer&) = delete;
  PreparedServer& operator=(const PreparedServer&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(m_port) + path; }
  int connections() const { return m_connections; }
  /// What was asked, as it came.
  std::vector<std::string> requests() const {
    const std::scoped_lock lock(m_mutex);
    return m_requests;
  }

private:
  /// Head and content, however many pieces they come in.
  static std::string read_request(const os::Fd& client) {
    constexpr std::string_view k_length = "Content-Length: ";
    std::string request;
    std::array<char, 4096> piece{};
    for (;;) {
      const auto got = read(client.get(), piece.data(), piece.size());
      request.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      const auto head = request.find("\r\n\r\n");
      const auto length = request.find(k_length);
      const auto content = length < head ? std::stoul(request.substr(length + k_length.size())) : 0;
      if (got <= 0 || (head != std::string::npos && request.size() >= head + 4 + content)) {
        return request;
      }
    }
  }

  void serve() {
    for (;;) {
      const os::Fd client(accept4(m_socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) {
        return;
      }
      const auto request = read_request(client);
      {
        const std::scoped_lock lock(m_mutex);
        m_requests.push_back(request);
      }
      const auto number = static_cast<std::size_t>(m_connections++);
      const auto& answer = m_answers[std::min(number, m_answers.size() - 1)];
      ignore(os::write_all(client, answer), "the client may be gone");
      if (answer.empty()) { // no answer at all, until the client gives up
        char byte = 0;
        [[maybe_unused]] const auto end = read(client.get(), &byte, 1);
      }
    }
  }

  std::vector<std::string> m_answers;
  mutable std::mutex m_mutex;
  std::vector<std::string> m_requests;
  os::Fd m_socket;
  unsigned m_port = 0;
  std::atomic<int> m_connections = 0;
  std::jthread m_thread;
};

} // namespace sheaf::net
