// SPDX-License-Identifier: Apache-2.0
#include "sandbox/zygote.hpp"

#include "os/file.hpp"
#include "os/parent_death.hpp"
#include "sandbox/helper.hpp"
#include "sandbox/seccomp_filter.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

namespace sheaf::sandbox {
namespace {

/// Between the two ends, which are one program.
struct Message {
  std::uint64_t number = 0;
  bool is_stop = false;
  bool keeps_terminal = false;
};

constexpr std::size_t k_handed_over = 5;
constexpr int k_socket = 3;
constexpr int k_signals = 4;

struct Request {
  Message message;
  std::vector<os::Fd> descriptors;
};

/// Nothing when the other end is gone.
std::optional<Request> receive() {
  Request request;
  iovec part{&request.message, sizeof request.message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(k_handed_over * sizeof(int))> space{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = space.data();
  header.msg_controllen = space.size();
  ssize_t got = 0;
  do {
    got = recvmsg(k_socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof request.message)) {
    return std::nullopt;
  }
  const auto* control = CMSG_FIRSTHDR(&header);
  if (control != nullptr && control->cmsg_type == SCM_RIGHTS) {
    std::vector<int> numbers((control->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(control), numbers.size() * sizeof(int));
    for (const int number : numbers) {
      request.descriptors.emplace_back(number);
    }
  }
  return request;
}

Result<void> send(const os::Fd& socket, Message message, const std::vector<int>& descriptors) {
  iovec part{&message, sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(k_handed_over * sizeof(int))> space{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = space.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    auto* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(control), descriptors.data(), descriptors.size() * sizeof(int));
  }
  while (sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return Error::from_errno(errno, "asking for a sandbox").with_code(ErrorCode::internal);
    }
  }
  return {};
}

void reset_signals() {
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE}) {
    signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// In the forked process.
[[noreturn]] void become_helper(const Request& request, pid_t zygote) {
  os::die_with_parent(zygote);
  reset_signals();
  // What was received has higher numbers than these, because the zygote itself uses 0 to 4.
  constexpr std::array<int, k_handed_over> k_places = {k_spec_descriptor, k_report_descriptor, 0, 1, 2};
  for (std::size_t i = 0; i < k_places.size(); ++i) {
    dup2(request.descriptors[i].get(), k_places[i]);
  }
  close_range(5, ~0U, 0); // reports of other sandboxes among them: their end would not be seen
  if (!request.message.keeps_terminal) {
    setsid();
  }
  _exit(helper_main());
}

class Process {
public:
  int run() {
    std::array<pollfd, 2> wanted = {{{k_socket, POLLIN, 0}, {k_signals, POLLIN, 0}}};
    for (;;) {
      if (poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) {
        return 1;
      }
      if (wanted[1].revents != 0) {
        reap();
      }
      if (wanted[0].revents != 0) {
        const auto request = receive();
        if (!request) {
          return 0; // all helpers die with us
        }
        take(*request);
      }
    }
  }

private:
  struct Helper {
    std::uint64_t number = 0;
    os::Fd report;
  };

  void take(const Request& request) {
    if (request.message.is_stop) {
      for (const auto& [pid, helper] : m_helpers) {
        if (helper.number == request.message.number) {
          kill(pid, SIGTERM);
        }
      }
      return;
    }
    if (request.descriptors.size() != k_handed_over) {
      return; // the other end sees its pipe closed
    }
    const pid_t self = getpid();
    const pid_t child = fork();
    if (child == 0) {
      become_helper(request, self);
    }
    os::Fd report(fcntl(request.descriptors[1].get(), F_DUPFD_CLOEXEC, 5));
    if (child > 0) {
      m_helpers.emplace(child, Helper{request.message.number, std::move(report)});
    }
  }

  void reap() {
    signalfd_siginfo info{};
    [[maybe_unused]] const auto got = read(k_signals, &info, sizeof info);
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = m_helpers.find(pid);
      if (found == m_helpers.end()) {
        continue; // an orphan of a sandbox
      }
      const auto line = fmt::format("{{\"ended\":{},\"by\":{}}}\n", WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                                    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
      ignore(os::write_all(found->second.report, line), "telling the end of a sandbox");
      m_helpers.erase(found);
    }
  }

  std::map<pid_t, Helper> m_helpers;
};

} // namespace

Result<Zygote> Zygote::start() {
  std::array<int, 2> pair = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return Error::from_errno(errno, "making a socket for sandboxes");
  }
  os::Fd ours(pair[0]);
  const os::Fd theirs(pair[1]);
  SHEAF_TRY_ASSIGN(const auto null, os::open("/dev/null", O_RDWR));
  const int error = fcntl(STDERR_FILENO, F_GETFD) >= 0 ? STDERR_FILENO : null.get();
  os::SpawnOptions options;
  options.argv = {os::own_program(), std::string(k_helper_argument)};
  options.descriptors = {{null.get(), 0}, {null.get(), 1}, {error, 2}, {theirs.get(), k_socket}};
  options.holds_signals = true;
  SHEAF_TRY_ASSIGN(auto child, os::Child::spawn(options));
  return Zygote(std::move(child), std::move(ours));
}

Result<void> Zygote::fork(std::uint64_t number, const Handover& handover, Terminal terminal) const {
  const auto& streams = handover.streams;
  return send(m_socket, {number, false, terminal == Terminal::keep},
              {handover.spec, handover.report, streams[0], streams[1], streams[2]});
}

void Zygote::stop(std::uint64_t number) const {
  ignore(send(m_socket, {number, true, false}, {}), "stopping a sandbox whose helper is gone");
}

int zygote_main() {
  // The terminal's signals are for the commands, or for whoever started us; that one's end is seen at the socket.
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE}) {
    signal(number, SIG_IGN);
  }
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_SETMASK, &set, nullptr);
  os::Fd signals(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals || (signals.get() != k_signals && dup3(signals.get(), k_signals, O_CLOEXEC) < 0)) {
    return 1;
  }
  if (signals.get() == k_signals) {
    (void)signals.release();
  }
  fcntl(k_socket, F_SETFD, FD_CLOEXEC);
  // An orphaned first process of a sandbox comes to us and not to the host's init, which may be slow to reap it.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  prepare_seccomp_filter(); // once for all that are forked
  return Process().run();
}

} // namespace sheaf::sandbox
