// SPDX-License-Identifier: Apache-2.0
#include "sandbox/contained.hpp"

#include "os/child.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sheaf::sandbox {
namespace {

int wait_for(pid_t child) {
  for (;;) {
    int status = 0;
    const pid_t pid = wait(&status);
    if (pid > 0 && pid == child) {
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    if (pid < 0 && errno != EINTR) {
      return 125;
    }
  }
}

[[noreturn]] void run_as_init(char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // A /proc that shows the new PID namespace; without it the program still runs.
  (void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  const pid_t child = fork();
  if (child < 0) {
    std::perror(argv[0]);
    _exit(125);
  }
  if (child == 0) {
    execvp(argv[0], argv);
    std::perror(argv[0]);
    _exit(127);
  }
  _exit(wait_for(child));
}

} // namespace

std::vector<std::string> contained(std::vector<std::string> argv) {
  argv.insert(argv.begin(), {os::own_program(), std::string(k_contained_argument)});
  return argv;
}

int contained_main(char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (argv[0] == nullptr || unshare(CLONE_NEWNS | CLONE_NEWPID) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    std::perror("sheaf: containing a program");
    return 125;
  }
  const pid_t init = fork();
  if (init < 0) {
    std::perror("sheaf: containing a program");
    return 125;
  }
  if (init == 0) {
    run_as_init(argv);
  }
  return wait_for(init);
}

} // namespace sheaf::sandbox
