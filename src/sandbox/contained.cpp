// SPDX-License-Identifier: Apache-2.0
#include "sandbox/contained.hpp"

#include "base/text.hpp"
#include "os/child.hpp"
#include "os/parent_death.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sheaf::sandbox {
namespace {

/// As a shell says that a program could not be started, or not be waited for.
constexpr int k_cannot_contain = 125;
constexpr int k_cannot_run = 127;

int wait_for(pid_t child) {
  for (;;) {
    int status = 0;
    const pid_t pid = wait(&status);
    if (pid > 0 && pid == child) {
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    if (pid < 0 && errno != EINTR) {
      return k_cannot_contain;
    }
  }
}

int become(char** argv) {
  execvp(argv[0], argv);
  std::perror(argv[0]);
  return k_cannot_run;
}

[[noreturn]] void run_as_init(os::Pipe& alive, char** argv) {
  os::die_with_parent(alive);
  // A /proc that shows the new PID namespace; without it the program still runs.
  (void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  const pid_t child = fork();
  if (child < 0) {
    std::perror(argv[0]);
    _exit(k_cannot_contain);
  }
  if (child == 0) {
    _exit(become(argv));
  }
  _exit(wait_for(child));
}

std::vector<std::string> through_us(std::string_view mode, std::vector<std::string> argv) {
  argv.insert(argv.begin(), {os::own_program(), std::string(mode), std::to_string(getpid())});
  return argv;
}

/// The program and its arguments; ends the process if who asked for it is gone, null if something is missing.
char** program_of(char** argv) {
  const auto parent = argv[0] != nullptr ? to_number<pid_t>(argv[0]) : std::nullopt;
  if (!parent || argv[1] == nullptr) {
    return nullptr;
  }
  os::die_with_parent(*parent);
  return argv + 1;
}

} // namespace

std::vector<std::string> contained(std::vector<std::string> argv) {
  return through_us(k_contained_argument, std::move(argv));
}

std::vector<std::string> tied(std::vector<std::string> argv) { return through_us(k_tied_argument, std::move(argv)); }

int tied_main(char** argv) {
  auto** program = program_of(argv);
  return program != nullptr ? become(program) : k_cannot_run;
}

int contained_main(char** argv) {
  auto** program = program_of(argv);
  auto alive = os::Pipe::create();
  if (program == nullptr || !alive || unshare(CLONE_NEWNS | CLONE_NEWPID) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    std::perror("sheaf: containing a program");
    return k_cannot_contain;
  }
  const pid_t init = fork();
  if (init < 0) {
    std::perror("sheaf: containing a program");
    return k_cannot_contain;
  }
  if (init == 0) {
    run_as_init(*alive, program);
  }
  // At once: LeakSanitizer would start a thread, which this process cannot after unshare.
  _exit(wait_for(init));
}

} // namespace sheaf::sandbox
