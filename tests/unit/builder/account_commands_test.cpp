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

class AccountCommands : public testing::Test {
protected:
  void SetUp() override {
    program("real", "echo \"$*\"\n");
    taken("nobody-here");
  }

  /// Names and ids that getent finds.
  void taken(const std::string& words) const {
    program("getent", fmt::format("for t in {}; do [ \"$2\" = \"$t\" ] && exit 0; done\nexit 2\n", words));
  }

  /// What the real program is called with.
  std::string run(const std::string& command, const std::vector<std::string>& words) const {
    auto text = account_commands().at(command);
    replace(text, "program=/usr/sbin/" + command, "program=" + path("real"));
    replace(text, "PATH=/usr/local/sbin:", "PATH=" + path("") + ":/usr/local/sbin:");
    EXPECT_TRUE(os::write_file(path("script"), text));
    auto pipe = os::Pipe::create().value();
    os::SpawnOptions options;
    options.argv = {"/bin/sh", path("script")};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.descriptors = {{pipe.write.get(), 1}};
    auto child = os::Child::spawn(options).value();
    EXPECT_TRUE(pipe.write.close());
    auto output = os::read_all(pipe.read).value();
    EXPECT_TRUE(child.wait().value().ok());
    return output.substr(0, output.find('\n'));
  }

private:
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    const auto place = text.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    text.replace(place, from.size(), to);
  }
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void program(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(os::write_file(path(name), "#!/bin/sh\n" + text, os::Durable::no, 0755));
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
  taken("redis");
  EXPECT_EQ(run("useradd", {"-r", "redis"}), "-r redis");
}

TEST_F(AccountCommands, ATakenIdLeadsToTheNext) {
  taken("404 405");
  EXPECT_EQ(run("useradd", {"-r", "redis"}), "-u 406 -r redis");
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
