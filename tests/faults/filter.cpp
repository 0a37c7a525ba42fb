// SPDX-License-Identifier: Apache-2.0
#include "filter.hpp"

#include <seccomp.h>

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "calls.hpp"

namespace sheaf::faults {
namespace {

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

int add_call(scmp_filter_ctx filter, int number) {
  if (number != SCMP_SYS(fcntl)) {
    return seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 0);
  }
  for (const int command : {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW}) {
    const int result =
        seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 1, SCMP_A1(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command)));
    if (result < 0) {
      return result;
    }
  }
  return 0;
}

Result<Filter> make_filter() {
  Filter filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (!filter) {
    return Error(ErrorCode::internal, "creating a seccomp filter");
  }
  int result = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);
  // Programs of another instruction set are none of ours.
  result = result < 0 ? result : seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
  for (const auto& call : all_calls()) {
    if (result == 0 && call.number >= 0) { // negative: not a call of this architecture
      result = add_call(filter.get(), call.number);
    }
  }
  if (result < 0) {
    return Error::from_errno(-result, "compiling the filter of watched calls");
  }
  return filter;
}

/// One byte with room for a descriptor beside it.
struct DescriptorMessage {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr header{nullptr, 0, &part, 1, space.data(), space.size(), 0};

  DescriptorMessage() = default;
  DescriptorMessage(DescriptorMessage&&) = delete;
  DescriptorMessage& operator=(DescriptorMessage&&) = delete;
};

bool send_descriptor(int socket, int descriptor) {
  DescriptorMessage message;
  auto* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  return sendmsg(socket, &message.header, MSG_NOSIGNAL) == 1;
}

os::Fd receive_descriptor(const os::Fd& socket) {
  DescriptorMessage message;
  int descriptor = -1;
  if (recvmsg(socket.get(), &message.header, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message.header) != nullptr) {
    std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message.header)), sizeof descriptor);
  }
  return os::Fd(descriptor);
}

bool become(const Account& account) {
  if (account.uid == getuid()) {
    return true;
  }
  return setgroups(0, nullptr) == 0 && setresgid(account.gid, account.gid, account.gid) == 0 &&
         setresuid(account.uid, account.uid, account.uid) == 0;
}

/// In the new process, which has one thread. From the filter on nothing watched may be called: nobody answers yet.
[[noreturn]] void exec_watched(scmp_filter_ctx filter, const std::vector<std::string>& argv, const Account& account,
                               int socket) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (const int result = seccomp_load(filter); result < 0) {
    _exit(126); // the parent sees that no descriptor comes
  }
  const int listener = seccomp_notify_fd(filter);
  if (listener < 0 || !send_descriptor(socket, listener)) {
    _exit(126);
  }
  close(listener);
  close(socket);
  if (!become(account)) {
    _exit(125);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  execvp(words[0], words.data());
  _exit(127);
}

} // namespace

Result<Watched> start_watched(const std::vector<std::string>& argv, const Account& account) {
  SHEAF_TRY_ASSIGN(const auto filter, make_filter());
  std::array<int, 2> pair = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return Error::from_errno(errno, "making a socket for the command");
  }
  const os::Fd ours(pair[0]);
  os::Fd theirs(pair[1]);
  const pid_t child = fork();
  if (child < 0) {
    return Error::from_errno(errno, "starting the command");
  }
  if (child == 0) {
    exec_watched(filter.get(), argv, account, theirs.get());
  }
  SHEAF_TRY(theirs.close());
  auto listener = receive_descriptor(ours);
  if (!listener) {
    return Error(ErrorCode::denied, "watching the system calls of the command")
        .with_hint("this takes root, and a kernel that lets seccomp filters report to a supervisor");
  }
  return Watched{child, std::move(listener)};
}

} // namespace sheaf::faults
