// SPDX-License-Identifier: Apache-2.0
#include "os/parent_death.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace sheaf::os {
namespace {

/// Forks, and forks again; `grandchild` runs once its parent has ended (`orphaned`) or while it waits to be killed.
/// True if the grandchild is gone within a moment after that.
bool grandchild_ends(bool orphaned, const std::function<void(pid_t, Pipe&)>& tie) {
  auto alive = Pipe::create().value();
  auto running = Pipe::create().value(); // ends when the grandchild, its last writer, has
  const pid_t child = fork();
  if (child == 0) {
    const pid_t self = getpid();
    if (fork() == 0) {
      while (orphaned && getppid() == self) {
        usleep(100);
      }
      tie(self, alive);
      [[maybe_unused]] const auto told = write(running.write.get(), "x", 1);
      for (;;) {
        pause();
      }
    }
    (void)alive.read.close();
    for (; !orphaned;) {
      pause();
    }
    _exit(0);
  }
  (void)running.write.close();
  (void)alive.write.close();
  char byte = 0;
  if (!orphaned) {
    EXPECT_EQ(read(running.read.get(), &byte, 1), 1);
    kill(child, SIGKILL);
  }
  waitpid(child, nullptr, 0);
  pollfd end{running.read.get(), POLLIN, 0};
  constexpr int k_patience_ms = 10'000;
  return poll(&end, 1, k_patience_ms) == 1 && read(running.read.get(), &byte, 1) == 0;
}

void by_number(pid_t parent, Pipe& /*alive*/) { die_with_parent(parent); }
void by_pipe(pid_t /*parent*/, Pipe& alive) { die_with_parent(alive); }

TEST(ParentDeath, KillsTheChild) {
  EXPECT_TRUE(grandchild_ends(false, by_number));
  EXPECT_TRUE(grandchild_ends(false, by_pipe));
}

TEST(ParentDeath, BeforeTheChildSaidSoEndsItToo) {
  EXPECT_TRUE(grandchild_ends(true, by_number));
  EXPECT_TRUE(grandchild_ends(true, by_pipe));
}

} // namespace
} // namespace sheaf::os
