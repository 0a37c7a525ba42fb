// SPDX-License-Identifier: Apache-2.0
#pragma once

// A socket that leads to an SSH agent of the host. Agents talk only to their own user and root, and whoever mounts the
// agent's own socket cannot give it another owner; this one belongs to whom the mount says, and we are who asks.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <memory>
#include <string>
#include <thread>

namespace sheaf::builder {

/// Serves from a thread of its own until it is destroyed.
class AgentProxy {
public:
  /// Listens at `path`, which must not exist; every connection is passed on to the socket at `agent`.
  static Result<std::unique_ptr<AgentProxy>> start(const std::string& agent, const std::string& path, unsigned uid,
                                                   unsigned gid, unsigned mode);
  AgentProxy(const AgentProxy&) = delete;
  AgentProxy& operator=(const AgentProxy&) = delete;
  /// Ends all connections and removes the socket.
  ~AgentProxy();

private:
  AgentProxy(std::string path, os::Fd listener, os::Fd stop_read, os::Fd stop_write, std::string agent);
  std::string m_path;
  os::Fd m_stop;
  std::thread m_thread;
};

} // namespace sheaf::builder
