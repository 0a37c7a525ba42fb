// SPDX-License-Identifier: Apache-2.0
#include "supervisor.hpp"

#include "os/fd.hpp"

#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tracee.hpp"

namespace sheaf::faults {
namespace {

using Clock = std::chrono::steady_clock;

/// How long descendants may take to follow the command into death.
constexpr auto k_grace = std::chrono::seconds(5);
constexpr int k_tick_ms = 50;

/// A notification that vanishes between poll and its receipt would make us wait for ever: a timer interrupts us.
void start_ticking() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  const itimerval every{{0, k_tick_ms * 1000}, {0, k_tick_ms * 1000}};
  setitimer(ITIMER_REAL, &every, nullptr);
}

class Supervisor {
public:
  Supervisor(const Plan& plan, Watched watched)
      : m_plan(plan), m_watched(std::move(watched)), m_program(program_at(plan.argv.front())) {}

  Observed run() {
    const auto limit = Clock::now() + m_plan.limit;
    while (!reap()) {
      pollfd wanted{m_watched.listener.get(), POLLIN, 0};
      const int ready = poll(&wanted, 1, m_ended ? 1 : k_tick_ms);
      if (ready > 0 && (wanted.revents & POLLIN) != 0) {
        answer_next();
      } else if (ready > 0) {
        wait_for_end(); // nobody is left who could call
      }
      if (!m_ended && Clock::now() > limit) {
        m_observed.hung = true;
        kill_children();
      } else if (m_ended && Clock::now() > *m_ended + k_grace) {
        end_left();
      }
    }
    return std::move(m_observed);
  }

private:
  /// True when no descendant is left.
  bool reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid == m_watched.pid) {
        m_ended = Clock::now();
        m_observed.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        m_observed.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      }
    }
    return pid < 0 && errno == ECHILD;
  }

  /// Until one of our children ends, or the tick.
  static void wait_for_end() {
    siginfo_t info{};
    waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
  }

  static void kill_children() {
    for (const pid_t child : own_children()) {
      kill(child, SIGKILL);
    }
  }

  void end_left() {
    const bool is_first = m_observed.left.empty();
    for (const pid_t child : own_children()) {
      auto line = command_line_of(child);
      if (is_first && !line.empty()) { // empty: it has ended and waits to be reaped
        m_observed.left.push_back(std::move(line));
      }
    }
    kill_children();
  }

  void answer_next() {
    seccomp_notif asked{};
    if (ioctl(m_watched.listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
      return; // interrupted, or the caller is gone
    }
    seccomp_notif_resp answer{asked.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    const auto tid = static_cast<pid_t>(asked.pid);
    if (program_of(tid) == m_program && !judge(asked.data, tid, answer)) {
      return;
    }
    ioctl(m_watched.listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }

  /// Fills in the answer; false if there is none because the process was killed.
  bool judge(const seccomp_data& data, pid_t tid, seccomp_notif_resp& answer) {
    const Call* call = find_call(data.nr);
    if (call == nullptr) {
      return true;
    }
    Arguments arguments{};
    std::copy(std::begin(data.args), std::end(data.args), arguments.begin());
    const auto target = target_of(tid, *call, arguments);
    const auto possible = faults_of(*call, arguments, target);
    if (possible.empty()) {
      return true;
    }
    const bool breaks = count(possible);
    if (m_plan.trace != nullptr) {
      *m_plan.trace << process_of(tid) << ' ' << call->name << ' ' << target << (breaks ? " BROKEN\n" : "\n");
    }
    if (breaks) {
      return inject(*call, target, tid, answer);
    }
    if (call->is_flush && m_plan.skip_flushes) {
      answer.flags = 0;
    }
    return true;
  }

  /// True if this call is one to break.
  bool count(Faults possible) {
    for (const auto fault : k_faults) {
      if (possible.has(fault)) {
        ++m_observed.counts.at(static_cast<std::size_t>(fault));
      }
    }
    if (!m_plan.fault || !possible.has(*m_plan.fault)) {
      return false;
    }
    const auto number = m_observed.counts.at(static_cast<std::size_t>(*m_plan.fault));
    return number == m_plan.nth || (m_plan.onwards && number > m_plan.nth);
  }

  bool inject(const Call& call, const std::string& target, pid_t tid, seccomp_notif_resp& answer) {
    const pid_t process = process_of(tid);
    if (!m_observed.hit) {
      m_observed.hit = Hit{call.name, target, process != m_watched.pid};
    }
    if (*m_plan.fault == Fault::kill) {
      kill(process, SIGKILL);
      return false;
    }
    answer.flags = 0;
    answer.error = -errno_of(*m_plan.fault);
    return true;
  }

  const Plan& m_plan;
  Watched m_watched;
  Program m_program;
  Observed m_observed;
  std::optional<Clock::time_point> m_ended;
};

} // namespace

Result<Observed> supervise(const Plan& plan) {
  // Orphans come to us, so that none is overlooked.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return Error::from_errno(errno, "becoming the reaper of orphans");
  }
  SHEAF_TRY_ASSIGN(auto watched, start_watched(plan.argv, plan.account));
  start_ticking();
  return Supervisor(plan, std::move(watched)).run();
}

} // namespace sheaf::faults
