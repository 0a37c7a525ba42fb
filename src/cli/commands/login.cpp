// SPDX-License-Identifier: Apache-2.0
#include "app/registries.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "os/fd.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>

namespace sheaf::cli {
namespace {

constexpr std::string_view k_default_host = "docker.io";

constexpr std::array k_login_options = {Option{"username", 'u', "NAME", "the user's name at the registry"},
                                        Option{"password-stdin", 0, "", "read the password from standard input"}};
constexpr std::array<std::string_view, 2> k_login_examples = {
    "sheaf login registry.example.org", "sheaf login -u robot --password-stdin registry.example.org <token"};
constexpr std::array<std::string_view, 1> k_logout_examples = {"sheaf logout registry.example.org"};

std::string host_of(const Invocation& invocation) {
  return invocation.operands.empty() ? std::string(k_default_host) : invocation.operands.front();
}

// A signal handler can reach nothing but globals.
std::atomic<bool> g_is_interrupted{false};

/// While it lives a signal that would end the process ends the reading only, so that the terminal is as before at the
/// end.
class Interruptible {
public:
  Interruptible() {
    struct sigaction action {};
    action.sa_handler = [](int /*signal*/) { g_is_interrupted = true; };
    for (std::size_t i = 0; i < k_signals.size(); ++i) {
      sigaction(k_signals.at(i), &action, &m_before.at(i));
    }
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
  ~Interruptible() {
    for (std::size_t i = 0; i < k_signals.size(); ++i) {
      sigaction(k_signals.at(i), &m_before.at(i), nullptr);
    }
  }

private:
  static constexpr std::array k_signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  std::array<struct sigaction, k_signals.size()> m_before{};
};

/// Nothing of what is typed is shown while it lives.
class Unseen {
public:
  Unseen() {
    if (tcgetattr(STDIN_FILENO, &m_before) == 0) {
      auto silent = m_before;
      silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      m_changed = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  ~Unseen() {
    if (m_changed) {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &m_before);
      std::fputc('\n', stderr);
    }
  }

private:
  termios m_before{};
  bool m_changed = false;
};

Result<std::string> read_line() {
  const Interruptible signals;
  std::string line;
  for (char c = 0;;) {
    // A signal may come just before the call that it should end.
    constexpr int k_patience = 100; // milliseconds
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&waiting, 1, k_patience);
    if (g_is_interrupted) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    if (ready <= 0) {
      continue;
    }
    const auto got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0) {
      return Error::from_errno(errno, "reading the terminal");
    }
    if (got == 0 || c == '\n') {
      return line;
    }
    line += c;
  }
}

Result<std::string> ask(const std::string& question) {
  if (isatty(STDIN_FILENO) == 0) {
    return Error(ErrorCode::invalid, fmt::format("{} is not said, and there is no terminal to ask", question))
        .with_hint("-u NAME --password-stdin");
  }
  std::fputs((question + ": ").c_str(), stderr);
  SHEAF_TRY_ASSIGN(auto line, read_line());
  if (line.empty()) {
    return Error(ErrorCode::invalid, fmt::format("{} is empty", question));
  }
  return line;
}

Result<std::string> password(const Invocation& invocation) {
  if (!invocation.has("password-stdin")) {
    const Interruptible signals;
    const Unseen unseen;
    return ask("password");
  }
  if (!invocation.has("username")) {
    return Error(ErrorCode::invalid, "--password-stdin needs a name").with_hint("-u NAME");
  }
  const os::Fd input(dup(STDIN_FILENO));
  SHEAF_TRY_ASSIGN(auto text, os::read_all(input));
  while (text.ends_with('\n') || text.ends_with('\r')) {
    text.pop_back();
  }
  if (text.empty()) {
    return Error(ErrorCode::invalid, "the password on standard input is empty");
  }
  return text;
}

Result<int> login(Invocation& invocation) {
  const auto host = host_of(invocation);
  registry::Credential credential;
  if (const auto name = invocation.value("username")) {
    credential.username = *name;
  } else {
    SHEAF_TRY_ASSIGN(credential.username, ask("user name"));
  }
  SHEAF_TRY_ASSIGN(credential.password, password(invocation));
  SHEAF_TRY(invocation.interrupts->watch());
  SHEAF_TRY_ASSIGN(const auto place, app::log_in(host, credential, invocation.stop()));
  invocation.events->emit({EventKind::note, "login", fmt::format("{}: kept in '{}'", host, place)});
  return 0;
}

Result<int> logout(Invocation& invocation) {
  const auto host = host_of(invocation);
  SHEAF_TRY_ASSIGN(const auto places, app::log_out(host));
  invocation.events->emit({EventKind::note, "logout",
                           places.empty() ? fmt::format("{}: there was no credential", host)
                                          : fmt::format("{}: taken out of '{}'", host, joined(places, "', '"))});
  return 0;
}

} // namespace

const Command k_login = {
    "login",
    "keep a user name and password for a registry",
    "Tries them first. They go where docker and podman keep theirs, or to the program that those "
    "are set up to use (credsStore, credHelpers), and what docker or podman have is used by sheaf. "
    "Without HOST it is docker.io.",
    {"[HOST]", 0, 1},
    k_login_options,
    k_login_examples,
    login};

const Command k_logout = {"logout",
                          "forget the user name and password for a registry",
                          "Takes them out of the files of docker and podman, too.",
                          {"[HOST]", 0, 1},
                          {},
                          k_logout_examples,
                          logout};

} // namespace sheaf::cli
