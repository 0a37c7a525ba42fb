// SPDX-License-Identifier: Apache-2.0
#include "os/child.hpp"

#include "base/text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sheaf::os {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (const auto& word : words) {
    list.push_back(const_cast<char*>(word.c_str()));
  }
  list.push_back(nullptr);
  return list;
}

ExitStatus status_of(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? ExitStatus{info.si_status, 0} : ExitStatus{0, info.si_status};
}

/// Owns the two C objects of posix_spawn(3).
struct SpawnSetup {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

/// Signals that we ignore or block must not stay so in the child.
void reset_signals(SpawnSetup& setup, const SpawnOptions& options) {
  sigset_t set;
  sigemptyset(&set);
  if (!options.holds_signals) {
    posix_spawnattr_setsigmask(&setup.attributes, &set);
  }
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) {
    sigaddset(&set, signal);
  }
  if (options.holds_signals) {
    posix_spawnattr_setsigmask(&setup.attributes, &set);
  }
  for (const int signal : {SIGPIPE, SIGTTOU, SIGTTIN}) {
    sigaddset(&set, signal);
  }
  posix_spawnattr_setsigdefault(&setup.attributes, &set);
  const int session = options.new_session ? POSIX_SPAWN_SETSID : 0;
  posix_spawnattr_setflags(&setup.attributes,
                           static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session));
}

/// Nobody would learn of the end of such a child.
Error unwatched(int failure, const std::string& program) {
  const bool is_full = failure == EMFILE || failure == ENFILE;
  return Error::from_errno(failure, fmt::format("watching '{}' (pidfd_open); it was ended at once", program))
      .with_hint(is_full ? "raise the limit of open files: 'ulimit -n', or '--ulimit nofile' of a container"
                         : "Linux 5.3 or newer has this call; in a container its seccomp profile must allow it");
}

} // namespace

std::string ExitStatus::to_string() const {
  return signal != 0 ? fmt::format("killed by signal {} ({})", signal, strsignal(signal))
                     : fmt::format("exit code {}", code);
}

Result<Child> Child::spawn(const SpawnOptions& options) {
  SpawnSetup setup;
  reset_signals(setup, options);
  // First everything is moved out of the way, so that a target number never overwrites a source not yet used.
  int beyond = STDERR_FILENO + 1;
  for (const auto& [from, to] : options.descriptors) {
    beyond = std::max(beyond, to + 1);
  }
  std::vector<Fd> copies;
  for (const auto& [from, to] : options.descriptors) {
    Fd copy(fcntl(from, F_DUPFD_CLOEXEC, beyond));
    if (!copy) {
      return Error::from_errno(errno, "duplicating a descriptor for a child process")
          .with_hint("'ulimit -n' may allow too few");
    }
    posix_spawn_file_actions_adddup2(&setup.actions, copy.get(), to);
    copies.push_back(std::move(copy));
  }
  const auto argv = pointers(options.argv);
  std::vector<char*> environment;
  if (options.environment) {
    environment = pointers(*options.environment);
  }
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], &setup.actions, &setup.attributes, argv.data(),
                                 options.environment ? environment.data() : environ);
  if (error != 0) {
    return Error::from_errno(error, fmt::format("starting '{}'", options.argv[0]));
  }
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int failure = pidfd ? 0 : errno;
  Child child(pid, std::move(pidfd)); // killed and reaped at once if it cannot be watched
  if (failure != 0) {
    return unwatched(failure, options.argv[0]);
  }
  return child;
}

Child::Child(Child&& other) noexcept : m_pid(std::exchange(other.m_pid, -1)), m_pidfd(std::move(other.m_pidfd)) {}

Child::~Child() {
  if (m_pid > 0) {
    kill(m_pid, SIGKILL);
    while (waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

Result<ExitStatus> Child::wait(std::stop_token stop, std::chrono::milliseconds grace) {
  // The callback runs in the thread that asks to stop; the pidfd names this process even after it was reaped.
  const std::stop_callback ask(stop, [fd = m_pidfd.get()] { syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0); });
  std::optional<std::chrono::steady_clock::time_point> deadline;
  for (;;) {
    pollfd wanted{m_pidfd.get(), POLLIN, 0};
    // Without a stop source there is nothing to look for: sleep until the child ends.
    if (::poll(&wanted, 1, stop.stop_possible() ? 50 : -1) > 0) {
      break;
    }
    const auto now = std::chrono::steady_clock::now();
    if (stop.stop_requested() && !deadline) {
      deadline = now + grace;
    }
    if (deadline && now > *deadline) {
      kill(m_pid, SIGKILL);
    }
  }
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(m_pid), &info, WEXITED) != 0) {
    if (errno != EINTR) {
      return Error::from_errno(errno, "waiting for a child process");
    }
  }
  m_pid = -1;
  return status_of(info);
}

std::string own_program() { return "/proc/self/exe"; }

std::optional<std::string> find_program(const std::string& program) {
  const auto path = environment("PATH").value_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  for (const auto folder : split(path, ':')) {
    auto candidate = fmt::format("{}/{}", folder, program);
    if (access(candidate.c_str(), X_OK) == 0 && !is_directory(candidate)) {
      return candidate;
    }
  }
  return std::nullopt;
}

} // namespace sheaf::os
