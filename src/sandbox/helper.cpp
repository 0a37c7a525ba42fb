// SPDX-License-Identifier: Apache-2.0
#include "sandbox/helper.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/parent_death.hpp"
#include "sandbox/copy_files.hpp"
#include "sandbox/process_setup.hpp"
#include "sandbox/resource_limits.hpp"
#include "sandbox/root_setup.hpp"
#include "sandbox/spec.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sheaf::sandbox {
namespace {

using Json = nlohmann::json;

void report(const Json& json) {
  os::Fd pipe(k_report_descriptor);
  ignore(os::write_all(pipe, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"),
         "reporting to a parent that is gone");
  (void)pipe.release(); // it stays open for the next report
}

void report(const Error& error) {
  report(Json{{"error", error.summary()}, {"code", std::string(to_string(error.code()))}, {"hint", error.hint()}});
}

void report(int wait_status) {
  report(WIFSIGNALED(wait_status) ? Json{{"signal", WTERMSIG(wait_status)}} : Json{{"exit", WEXITSTATUS(wait_status)}});
}

Result<SandboxSpec> receive_spec() {
  const os::Fd fd(k_spec_descriptor);
  SHEAF_TRY_ASSIGN(const auto text, os::read_all(fd));
  return parse_spec(text);
}

Result<void> enter_namespaces(const SandboxSpec& spec) {
  int flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID;
  if (spec.network == Network::none) {
    flags |= CLONE_NEWNET;
  }
  if (unshare(flags) != 0) {
    return Error::from_errno(errno, "entering new namespaces");
  }
  // Nothing that is mounted from here on may reach the host.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return Error::from_errno(errno, "making mounts private");
  }
  return {};
}

/// Waits for `child`, reaping whatever is orphaned meanwhile; its wait status.
int wait_for(pid_t child) {
  for (;;) {
    int status = 0;
    const pid_t pid = wait(&status);
    if (pid > 0 && pid == child) {
      return status;
    }
    if (pid < 0 && errno != EINTR) {
      return W_EXITCODE(125, 0); // cannot happen while the child is ours; never a success
    }
  }
}

/// Ends what a command left running, so that the next one starts alone.
void end_leftovers() {
  kill(-1, SIGKILL);
  while (wait(nullptr) > 0 || errno == EINTR) {
  }
}

/// Starts `command` as a child of this process, which is PID 1.
pid_t start(const RunCommand& command) {
  if (!command.title.empty()) {
    const auto line = command.title + "\n";
    [[maybe_unused]] const auto written = write(STDOUT_FILENO, line.c_str(), line.size());
  }
  report(Json{{"start", true}});
  const pid_t child = fork();
  if (child == 0) {
    const auto failure = become_command(command);
    if (!failure.exit_code) {
      report(failure.error);
      _exit(127);
    }
    const auto text = failure.error.render() + "\n"; // where the command's own complaints go
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text.c_str(), text.size());
    _exit(*failure.exit_code);
  }
  if (child < 0) {
    report(Error::from_errno(errno, "starting a process for the command"));
    _exit(1);
  }
  return child;
}

/// PID 1 of the sandbox: runs the commands as its children. When it ends, the kernel kills everything else in the
/// namespace.
[[noreturn]] void run_as_init(const SandboxSpec& spec, const std::vector<RunCommand>& commands,
                              const std::vector<os::Fd>& owners) {
  const auto points = finish_root(spec, owners);
  if (!points) {
    report(points.error());
    _exit(1);
  }
  int status = 0;
  for (const auto& command : commands) {
    status = wait_for(start(command));
    end_leftovers();
    if (status != 0) {
      break;
    }
  }
  if (const auto removed = points->remove(); !removed) {
    report(removed.error());
    _exit(1);
  }
  report(status);
  _exit(0);
}

/// Waits until the sandbox's first process has ended, and with it all others. A SIGTERM, which the caller has blocked,
/// ends it.
void await_init(pid_t init, const sigset_t& signals) {
  while (waitpid(init, nullptr, WNOHANG) == 0) {
    if (sigwaitinfo(&signals, nullptr) == SIGTERM) {
      kill(init, SIGKILL);
    }
  }
}

/// Children inherit the set. It is not a limit against ill will: a program may widen it again. Source:
/// sched_setaffinity(2).
Result<void> limit_processors(const SandboxSpec& spec) {
  if (!spec.processors) {
    return {};
  }
  cpu_set_t usable;
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) {
    return Error::from_errno(errno, "reading which processors may be used");
  }
  unsigned left = *spec.processors;
  for (unsigned number = 0; number < CPU_SETSIZE && left > 0; ++number) {
    if (CPU_ISSET(number, &usable)) {
      CPU_SET(number, &chosen);
      --left;
    }
  }
  if (sched_setaffinity(0, sizeof chosen, &chosen) != 0) {
    return Error::from_errno(errno, "limiting the processors");
  }
  return {};
}

Result<void> run_commands(const SandboxSpec& spec, const std::vector<RunCommand>& commands,
                          const std::vector<os::Fd>& owners) {
  for (const auto& command : commands) {
    SHEAF_TRY(check_limits(command.limits)); // before anything runs
  }
  SHEAF_TRY_ASSIGN(auto alive, os::Pipe::create());
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGCHLD);
  sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t init = fork();
  if (init < 0) {
    return Error::from_errno(errno, "starting the sandbox's first process");
  }
  if (init == 0) {
    os::die_with_parent(alive);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    run_as_init(spec, commands, owners);
  }
  // The terminal's signals are for the command; this process only waits.
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  await_init(init, signals);
  return {};
}

/// The way to the machine itself; nothing else is in a network namespace of its own.
Result<void> bring_up_loopback() {
  const os::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!socket || ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    return Error::from_errno(errno, "bringing the loopback interface up");
  }
  return {};
}

Result<void> act(const SandboxSpec& spec) {
  SHEAF_TRY(limit_processors(spec));
  SHEAF_TRY_ASSIGN(const auto owners, owner_maps(spec));
  SHEAF_TRY(enter_namespaces(spec));
  if (spec.network == Network::none) {
    SHEAF_TRY(bring_up_loopback());
  }
  SHEAF_TRY(mount_root(spec));
  if (const auto* copy = std::get_if<CopyFiles>(&spec.action)) {
    return copy_files(*copy, spec.mount_point);
  }
  if (const auto* directory = std::get_if<MakeDirectory>(&spec.action)) {
    return make_directory_in_root(directory->path, spec.mount_point, directory->owner);
  }
  return run_commands(spec, std::get<std::vector<RunCommand>>(spec.action), owners);
}

} // namespace

int helper_main() {
  // Neither reaches the command: it could report in our name.
  fcntl(k_spec_descriptor, F_SETFD, FD_CLOEXEC);
  fcntl(k_report_descriptor, F_SETFD, FD_CLOEXEC);
  const auto spec = receive_spec();
  if (!spec) {
    report(spec.error());
    return 1;
  }
  const auto done = act(*spec);
  if (!done) {
    report(done.error());
    return 1;
  }
  if (!std::holds_alternative<std::vector<RunCommand>>(spec->action)) {
    report(0);
  }
  return 0;
}

} // namespace sheaf::sandbox
