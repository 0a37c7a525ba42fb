// SPDX-License-Identifier: Apache-2.0
// Runs the generated scripts with fake programs in place of the real ones.

#include "builder/account_commands.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sheaf::builder {
namespace {

constexpr std::string_view k_ranges = "-K SYS_UID_MAX=60000 -K SYS_GID_MAX=60000 -K GID_MIN=100 ";

class AccountCommands : public testing::Test {
protected:
  void SetUp() override {
    program("real", "echo \"$*\"\n");
    accounts("", "");
  }

  /// The lines of /etc/passwd and /etc/group.
  void accounts(const std::string& passwd, const std::string& group) const {
    ASSERT_TRUE(os::make_directories(path("etc")));
    ASSERT_TRUE(os::write_file(path("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n" + passwd));
    ASSERT_TRUE(os::write_file(path("etc/group"), "root:x:0:\n" + group));
  }

  /// The same for every shell that may be /bin/sh of a base.
  std::string run(const std::string& command, const std::vector<std::string>& words) const {
    const auto in_dash = run({"/bin/dash"}, command, words);
    EXPECT_EQ(run({"/bin/busybox", "sh"}, command, words), in_dash);
    return in_dash;
  }

  /// What the real program is called with.
  std::string run(const std::vector<std::string>& shell, const std::string& command,
                  const std::vector<std::string>& words, const std::string& input = "") const {
    auto text = account_commands().at(command);
    const std::string folder = command == "systemd-sysusers" ? "/usr/bin/" : "/usr/sbin/";
    replace(text, "program=" + folder + command, "program=" + path("real"));
    replace(text,
            "PATH=/usr/local/sbin:", command == "systemd-sysusers" ? "PATH=/usr/bin:/bin # " : "PATH=/nowhere # ");
    replace(text, "etc=/etc", "etc=" + path("etc"));
    EXPECT_TRUE(os::write_file(path("script"), text));
    auto pipe = os::Pipe::create().value();
    os::SpawnOptions options;
    options.argv = shell;
    options.argv.push_back(path("script"));
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    const auto in = os::memory_file(input).value();
    options.descriptors = {{in.get(), 0}, {pipe.write.get(), 1}};
    auto child = os::Child::spawn(options).value();
    EXPECT_TRUE(pipe.write.close());
    auto output = os::read_all(pipe.read).value();
    EXPECT_TRUE(child.wait().value().ok());
    // See TheOwnGroupOfAUserGetsTheSameNumber.
    if (const auto place = output.find(k_ranges); command == "useradd" && place == 0) {
      output.erase(0, k_ranges.size());
    }
    return output.ends_with('\n') ? output.substr(0, output.size() - 1) : output;
  }
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void program(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(os::write_file(path(name), "#!/bin/sh\n" + text, os::Durable::no, 0755));
  }

private:
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    const auto place = text.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    text.replace(place, from.size(), to);
  }
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-accounts-").value();
};

std::string id(const std::string& name) { return std::to_string(id_for_name(name)); }

TEST_F(AccountCommands, KnownNamesHaveFixedIds) {
  EXPECT_EQ(id_for_name("redis"), 404U);
  EXPECT_EQ(run("useradd", {"-r", "redis"}), "-u 404 -r redis");
  EXPECT_EQ(run("groupadd", {"--system", "docker"}), "-g 421 --system docker");
  EXPECT_EQ(run("adduser", {"--system", "--group", "redis"}), "--uid 404 --system --group redis");
  EXPECT_EQ(run("addgroup", {"--system", "redis"}), "--gid 404 --system redis");
}

TEST_F(AccountCommands, OtherNamesHaveTheIdOfTheirChecksum) {
  for (const std::string name : {"myservice", "a", "_svc", "with-dash", "x86_64"}) {
    EXPECT_GE(id_for_name(name), 30000U) << name;
    EXPECT_LT(id_for_name(name), 60000U) << name;
    EXPECT_EQ(run("useradd", {"-r", name}), fmt::format("-u {} -r {}", id(name), name));
  }
}

TEST_F(AccountCommands, AGivenIdIsKept) {
  EXPECT_EQ(run("useradd", {"-u", "1234", "svc"}), "-u 1234 svc");
  EXPECT_EQ(run("useradd", {"--uid=1234", "svc"}), "--uid=1234 svc");
  EXPECT_EQ(run("useradd", {"--uid", "1234", "redis"}), "--uid 1234 redis");
  EXPECT_EQ(run("groupadd", {"-g", "77", "svc"}), "-g 77 svc");
  EXPECT_EQ(run("adduser", {"--uid", "77", "svc"}), "--uid 77 svc");
  EXPECT_EQ(run("addgroup", {"--gid", "77", "svc"}), "--gid 77 svc");
  EXPECT_EQ(run("useradd", {"-D"}), "-D");
}

TEST_F(AccountCommands, ValuesOfOptionsAreNotTheName) {
  EXPECT_EQ(run("useradd", {"-r", "-d", "/var/lib/redis", "-s", "/usr/sbin/nologin", "-c", "Redis server", "redis"}),
            "-u 404 -r -d /var/lib/redis -s /usr/sbin/nologin -c Redis server redis");
  EXPECT_EQ(run("adduser", {"--system", "--home", "/x", "--gecos", "", "--shell", "/bin/sh", "redis"}),
            "--uid 404 --system --home /x --gecos  --shell /bin/sh redis");
  EXPECT_EQ(run("groupadd", {"-K", "GID_MIN=100", "redis"}), "-g 404 -K GID_MIN=100 redis");
}

TEST_F(AccountCommands, ValuesOfCombinedOptionsAreNotTheName) {
  EXPECT_EQ(run("useradd", {"-ms", "/bin/bash", "redis"}), "-u 404 -ms /bin/bash redis");
  EXPECT_EQ(run("useradd", {"-rms", "/bin/bash", "redis"}), "-u 404 -rms /bin/bash redis");
}

TEST_F(AccountCommands, AddingAMemberCreatesNothing) {
  EXPECT_EQ(run("adduser", {"redis", "docker"}), "redis docker");
  EXPECT_EQ(run("addgroup", {"redis", "docker"}), "redis docker");
}

TEST_F(AccountCommands, AnAccountThatIsThereIsLeftToTheProgram) {
  accounts("redis:x:123:123::/:/bin/sh\n", "");
  EXPECT_EQ(run("useradd", {"-r", "redis"}), "-r redis");
}

/// Not the neighbour of the taken id: another layer on the same base would take that for another name.
TEST_F(AccountCommands, ATakenIdLeadsToAnotherOfTheSameName) {
  accounts("other:x:404:1::/:/bin/sh\n", "");
  const auto second = id_for_name("redis", 1);
  EXPECT_GE(second, 30000U);
  EXPECT_EQ(run("useradd", {"-r", "redis"}), fmt::format("-u {} -r redis", second));
  EXPECT_EQ(run("groupadd", {"-r", "redis"}), "-g 404 -r redis"); // groups have numbers of their own
  accounts(fmt::format("other:x:404:1::/:/bin/sh\nthird:x:{}:1::/:/bin/sh", second), "");
  EXPECT_EQ(run("useradd", {"-r", "redis"}), fmt::format("-u {} -r redis", id_for_name("redis", 2)));
  EXPECT_NE(id_for_name("redis", 2), second);
}

/// useradd takes the user's number for the group only if it is in the range for groups; the next free one would clash
/// with that of another layer.
TEST_F(AccountCommands, TheOwnGroupOfAUserGetsTheSameNumber) {
  program("real", "for word in \"$@\"; do case \"$word\" in *GID*) echo \"$word\" ;; esac; done\n");
  EXPECT_EQ(run("useradd", {"-r", "redis"}), "SYS_GID_MAX=60000\nGID_MIN=100");
  EXPECT_EQ(run("groupadd", {"-r", "redis"}), "");
}

/// busybox knows neither --uid nor --gid.
TEST_F(AccountCommands, BusyboxGetsItsShortOptions) {
  program("real", "[ \"$1\" != --help ] || echo 'BusyBox v1.36.1 multi-call binary.'\necho \"$*\"\n");
  EXPECT_EQ(run("adduser", {"-S", "-D", "-H", "-h", "/var/lib/redis", "-s", "/sbin/nologin", "-G", "redis", "redis"}),
            "-u 404 -S -D -H -h /var/lib/redis -s /sbin/nologin -G redis redis");
  EXPECT_EQ(run("adduser", {"-DHh", "/x", "redis"}), "-u 404 -DHh /x redis");
  EXPECT_EQ(run("addgroup", {"-S", "redis"}), "-g 404 -S redis");
  EXPECT_EQ(run("adduser", {"-u", "77", "redis"}), "-u 77 redis");
  EXPECT_EQ(run("addgroup", {"redis", "docker"}), "redis docker");
}

/// What the fake systemd-sysusers is called with, and what it reads from its input.
class SysusersCommand : public AccountCommands {
protected:
  void SetUp() override {
    AccountCommands::SetUp();
    program("real", "echo \"call $*\"\ncase \" $* \" in *' - '*) cat ;; esac\n");
    ASSERT_TRUE(os::make_directories(path("etc/sysusers.d")));
    ASSERT_TRUE(os::write_file(path("etc/sysusers.d/redis.conf"),
                               "# comment\nu redis - \"Redis server\" /var/lib/redis /bin/false\n"));
  }
  std::string call(const std::vector<std::string>& words, const std::string& input = "") const {
    const auto in_dash = run({"/bin/dash"}, "systemd-sysusers", words, input);
    EXPECT_EQ(run({"/bin/busybox", "sh"}, "systemd-sysusers", words, input), in_dash);
    return in_dash;
  }
};

TEST_F(SysusersCommand, AFileIsReadAndItsAccountsAreMadeFirst) {
  EXPECT_EQ(call({"redis.conf"}), "call -\nu redis 404 \"Redis server\" /var/lib/redis /bin/false\ncall redis.conf");
  EXPECT_EQ(call({path("etc/sysusers.d/redis.conf")}).substr(0, 18), "call -\nu redis 404");
}

TEST_F(SysusersCommand, LinesComeFromArgumentsOrInput) {
  EXPECT_EQ(call({"--inline", "g docker -"}), "call -\ng docker 421\ncall --inline g docker -");
  EXPECT_EQ(call({"-"}, "u sshd -:nogroup \"SSH\"\n"),
            "call -\nu sshd 401:nogroup \"SSH\"\ncall -\nu sshd -:nogroup \"SSH\"");
  EXPECT_EQ(call({"--replace=/usr/lib/sysusers.d/redis.conf", "-"}, "u redis -\n").substr(0, 19),
            "call -\nu redis 404\n");
}

TEST_F(SysusersCommand, MembersAreMadeWhenNobodyElseMakesThem) {
  EXPECT_EQ(call({"--inline", "m redis docker", "u redis -"}),
            "call -\nu redis 404\ng docker 421\ncall --inline m redis docker u redis -");
}

TEST_F(SysusersCommand, GivenNumbersStayAndAreAvoided) {
  EXPECT_EQ(
      call({"--inline", "g first 404", "u redis -"}),
      fmt::format("call -\ng first 404\nu redis {}\ncall --inline g first 404 u redis -", id_for_name("redis", 1)));
  EXPECT_EQ(call({"--inline", "u svc 77", "m svc root"}), "call --inline u svc 77 m svc root");
}

TEST_F(SysusersCommand, WhatIsThereOrElsewhereIsLeftToTheProgram) {
  accounts("redis:x:123:123::/:/bin/sh\n", "redis:x:123:\n");
  EXPECT_EQ(call({"redis.conf"}), "call redis.conf");
  EXPECT_EQ(call({"--root=/other", "redis.conf"}), "call --root=/other redis.conf");
  EXPECT_EQ(call({"--help"}), "call --help");
}

TEST_F(AccountCommands, WithoutANameNothingIsChosen) {
  EXPECT_EQ(run("useradd", {"--help"}), "--help");
  EXPECT_EQ(run("useradd", {}), "");
}

TEST(IdForName, KnownIdsAreUniqueAndStable) {
  EXPECT_EQ(id_for_name("messagebus"), 400U);
  EXPECT_EQ(id_for_name("wireshark"), 455U);
  EXPECT_NE(id_for_name("postgres"), id_for_name("postfix"));
  EXPECT_EQ(id_for_name("myservice"), id_for_name("myservice"));
}

} // namespace
} // namespace sheaf::builder
