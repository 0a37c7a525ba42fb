// SPDX-License-Identifier: Apache-2.0
#include "builder/agent_proxy.hpp"

#include "os/as_caller.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

namespace sheaf::builder {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is too long for a socket's path", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

os::Fd new_socket() { return os::Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

std::optional<os::Fd> connect_to(const std::string& path) {
  const auto address = address_of(path);
  // An agent only answers its owner.
  const os::AsCaller caller;
  auto fd = new_socket();
  if (!address || !fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return std::nullopt;
  }
  return fd;
}

/// Passes on what has come; false at the end.
bool pass(const os::Fd& from, const os::Fd& to) {
  std::array<char, 16384> buffer{};
  const auto got = recv(from.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    return got < 0 && errno == EINTR;
  }
  for (std::size_t done = 0; done < static_cast<std::size_t>(got);) {
    const auto sent = send(to.get(), buffer.data() + done, static_cast<std::size_t>(got) - done, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      return false;
    }
    done += sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  return true;
}

struct Connection {
  os::Fd client;
  os::Fd agent;
};

/// The thread: an agent speaks in questions and answers, so one thread serves all its connections.
void serve(const os::Fd& listener, const os::Fd& stop, const std::string& agent) {
  std::vector<Connection> connections;
  for (;;) {
    std::vector<pollfd> wanted = {{stop.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}};
    for (const auto& connection : connections) {
      wanted.push_back({connection.client.get(), POLLIN, 0});
      wanted.push_back({connection.agent.get(), POLLIN, 0});
    }
    if (poll(wanted.data(), wanted.size(), -1) < 0) {
      continue;
    }
    if (wanted[0].revents != 0) {
      return;
    }
    std::vector<Connection> kept;
    for (std::size_t i = 0; i < connections.size(); ++i) {
      auto& connection = connections[i];
      const bool asked = wanted[2 + 2 * i].revents != 0;
      const bool answered = wanted[3 + 2 * i].revents != 0;
      if ((!asked || pass(connection.client, connection.agent)) &&
          (!answered || pass(connection.agent, connection.client))) {
        kept.push_back(std::move(connection));
      }
    }
    connections = std::move(kept);
    if (wanted[1].revents != 0) {
      os::Fd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      auto other = connect_to(agent);
      if (client && other) { // else the client sees its connection closed
        connections.push_back({std::move(client), std::move(*other)});
      }
    }
  }
}

} // namespace

Result<std::unique_ptr<AgentProxy>> AgentProxy::start(const std::string& agent, const std::string& path, unsigned uid,
                                                      unsigned gid, unsigned mode) {
  const auto doing = fmt::format("forwarding the SSH agent at '{}'", agent);
  if (!connect_to(agent)) {
    return Error::from_errno(errno, doing).with_hint("is the agent running? 'ssh-add -l' says so");
  }
  SHEAF_TRY_ASSIGN(const auto address, address_of(path).context(doing));
  auto listener = new_socket();
  if (!listener || bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chown(path.c_str(), uid, gid) != 0 || chmod(path.c_str(), mode) != 0 || listen(listener.get(), 16) != 0) {
    return Error::from_errno(errno, doing);
  }
  SHEAF_TRY_ASSIGN(auto stop, os::Pipe::create());
  return std::unique_ptr<AgentProxy>(
      new AgentProxy(path, std::move(listener), std::move(stop.read), std::move(stop.write), agent));
}

AgentProxy::AgentProxy(std::string path, os::Fd listener, os::Fd stop_read, os::Fd stop_write, std::string agent)
    : m_path(std::move(path)),
      m_stop(std::move(stop_write)),
      m_thread([listener = std::move(listener), stop = std::move(stop_read), agent = std::move(agent)] {
        serve(listener, stop, agent);
      }) {}

AgentProxy::~AgentProxy() {
  m_stop = os::Fd(); // the thread sees the other end closed
  m_thread.join();
  unlink(m_path.c_str());
}

} // namespace sheaf::builder
