// SPDX-License-Identifier: Apache-2.0
#include "os/child.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <thread>

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

SpawnOptions shell(const std::string& script) {
  SpawnOptions options;
  options.argv = {"sh", "-c", script};
  return options;
}

std::string output_of(SpawnOptions options) {
  auto pipe = Pipe::create().value();
  options.descriptors.emplace_back(pipe.write.get(), 1);
  auto child = Child::spawn(options).value();
  EXPECT_TRUE(pipe.write.close());
  auto text = read_all(pipe.read).value();
  EXPECT_TRUE(child.wait().value().ok());
  return text;
}

TEST(Child, ReportsTheExitCode) {
  const auto status = Child::spawn(shell("exit 7")).value().wait().value();
  EXPECT_EQ(status.code, 7);
  EXPECT_EQ(status.signal, 0);
  EXPECT_EQ(status.as_shell(), 7);
  EXPECT_EQ(status.to_string(), "exit code 7");
  EXPECT_TRUE(Child::spawn(shell("exit 0")).value().wait().value().ok());
}

TEST(Child, ReportsTheSignal) {
  const auto status = Child::spawn(shell("kill -KILL $$")).value().wait().value();
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.as_shell(), 137);
  EXPECT_EQ(status.to_string(), "killed by signal 9 (Killed)");
}

TEST(Child, MissingProgramIsNotFound) {
  SpawnOptions options;
  options.argv = {"no-such-program-of-sheaf"};
  setenv("PATH", "/usr/bin:/bin", 1); // a folder that cannot be searched would make it 'denied'
  EXPECT_EQ(Child::spawn(options).error().code(), ErrorCode::not_found);
}

TEST(Child, GetsTheEnvironmentItIsGiven) {
  auto options = shell("echo $A-$HOME");
  options.environment = {"A=1", "PATH=/bin:/usr/bin"};
  EXPECT_EQ(output_of(options), "1-\n");
}

TEST(Child, DescriptorsMayTradePlaces) {
  const auto a = memory_file("a").value();
  const auto b = memory_file("b").value();
  auto options = shell("cat <&4; cat <&3");
  options.descriptors = {{a.get(), 3}, {b.get(), 4}};
  EXPECT_EQ(output_of(options), "ba");
}

TEST(Child, SessionOfItsOwnOnRequest) {
  auto options =
      shell("[ \"$(ps -o sid= -p $$ 2>/dev/null || cut -d' ' -f6 /proc/$$/stat)\" -eq $$ ] && echo own || echo ours");
  EXPECT_EQ(output_of(options), "ours\n");
  options.new_session = true;
  EXPECT_EQ(output_of(options), "own\n");
}

TEST(Child, IgnoredSignalsAreDefaultInside) {
  const auto before = signal(SIGPIPE, SIG_IGN);
  const auto status = Child::spawn(shell("kill -PIPE $$; exit 0")).value().wait().value();
  signal(SIGPIPE, before);
  EXPECT_EQ(status.signal, SIGPIPE);
}

TEST(Child, AStopRequestTerminatesIt) {
  std::stop_source stop;
  auto child = Child::spawn(shell("exec sleep 100")).value();
  stop.request_stop();
  EXPECT_EQ(child.wait(stop.get_token()).value().signal, SIGTERM);
}

TEST(Child, OneThatDoesNotListenIsKilled) {
  auto pipe = Pipe::create().value();
  auto options = shell("trap '' TERM; echo ready; exec sleep 100");
  options.descriptors.emplace_back(pipe.write.get(), 1);
  auto child = Child::spawn(options).value();
  char byte = 0;
  ASSERT_EQ(::read(pipe.read.get(), &byte, 1), 1); // the trap is set
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(child.wait(stop.get_token(), std::chrono::milliseconds(1)).value().signal, SIGKILL);
}

TEST(Child, AStopFromAnotherThreadEndsTheWait) {
  std::stop_source stop;
  auto child = Child::spawn(shell("exec sleep 100")).value();
  const std::jthread other([&stop] { stop.request_stop(); });
  EXPECT_EQ(child.wait(stop.get_token()).value().signal, SIGTERM);
}

TEST(Child, IsKilledAndReapedWithItsObject) {
  int pid = 0;
  {
    const auto child = Child::spawn(shell("exec sleep 100")).value();
    pid = child.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

/// No more descriptors can be opened as long as it lives, but for a few in a child.
class NoFreeDescriptor {
public:
  NoFreeDescriptor() {
    for (auto& fd : m_taken) {
      fd = open("/dev/null", O_RDONLY).value();
    }
    getrlimit(RLIMIT_NOFILE, &m_before);
    auto limit = m_before;
    limit.rlim_cur = static_cast<rlim_t>(Fd(dup(0)).get());
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  NoFreeDescriptor(const NoFreeDescriptor&) = delete;
  NoFreeDescriptor& operator=(const NoFreeDescriptor&) = delete;
  ~NoFreeDescriptor() { setrlimit(RLIMIT_NOFILE, &m_before); }

private:
  std::array<Fd, 8> m_taken;
  rlimit m_before{};
};

TEST(Child, OneThatCannotBeWatchedIsKilledAndReaped) {
  const NoFreeDescriptor full;
  const auto child = Child::spawn(shell("exec sleep 100"));
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().errno_value(), EMFILE);
  EXPECT_THAT(child.error().summary(), testing::HasSubstr("watching 'sh'"));
  EXPECT_THAT(child.error().hint(), testing::HasSubstr("ulimit -n"));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1); // there is none
}

TEST(FindProgram, LooksOnlyForProgramsInPath) {
  EXPECT_TRUE(find_program("sh"));
  EXPECT_EQ(find_program("no-such-program-of-sheaf"), std::nullopt);
}

} // namespace
} // namespace sheaf::os
