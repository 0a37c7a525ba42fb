// SPDX-License-Identifier: Apache-2.0
#pragma once

// One small process per runtime from which every sandbox is forked. Our program takes milliseconds to start, a process
// that waits with nothing loaded forks in a fraction of one; it has one thread, so forking it is safe. It ends when its
// socket is closed, however that happens, and takes all sandboxes with it.

#include "base/result.hpp"
#include "os/child.hpp"
#include "os/fd.hpp"

#include <array>
#include <cstdint>

namespace sheaf::sandbox {

/// Descriptors that go to a new sandbox.
struct Handover {
  /// A file with the specification.
  int spec = -1;
  /// Where reports go.
  int report = -1;
  /// Standard input, output and error.
  std::array<int, 3> streams = {-1, -1, -1};
};

enum class Terminal { none, keep };

/// The caller's end. Safe from several threads.
class Zygote {
public:
  static Result<Zygote> start();

  /// Forks a helper that carries out the specification. `number` names it for `stop` and is used once. When the helper
  /// is gone, a line {"ended": …} follows its reports and the pipe is closed. `internal` if the process is dead.
  Result<void> fork(std::uint64_t number, const Handover& handover, Terminal terminal) const;
  /// Ends the helper of that number and all in its sandbox; one that has ended already is no loss.
  void stop(std::uint64_t number) const;

private:
  Zygote(os::Child child, os::Fd socket) : m_child(std::move(child)), m_socket(std::move(socket)) {}
  os::Child m_child;
  os::Fd m_socket;
};

/// The process itself; the caller exits with the value.
int zygote_main();

} // namespace sheaf::sandbox
