// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "registry/credentials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

namespace sheaf::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Credential k_me{"me", "secret", ""};

class CredentialsTest : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_folder.path() + "/" + name; }

  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(os::make_directories(path(name).substr(0, path(name).rfind('/'))));
    ASSERT_TRUE(os::write_file(path(name), text));
  }

  CredentialPlaces places() const {
    return {"", path("run/auth.json"), path("config/auth.json"), path("docker/config.json")};
  }

  /// A helper that keeps its secrets in a file beside it, as the protocol wants.
  void install_helper() const {
    const auto program = path("bin/docker-credential-test");
    write("bin/docker-credential-test", "#!/bin/sh\nkept=" + path("kept") + R"(
case $1 in
  store) cat >"$kept" ;;
  get) read -r host; grep -q "\"$host\"" "$kept" 2>/dev/null && cat "$kept" ||
    { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) rm -f "$kept" ;;
esac
)");
    ASSERT_EQ(chmod(program.c_str(), 0755), 0);
    ASSERT_EQ(setenv("PATH", (path("bin") + ":" + m_path).c_str(), 1), 0);
  }
  void TearDown() override { setenv("PATH", m_path.c_str(), 1); }

  os::TempDir m_folder = os::TempDir::create(testing::TempDir(), "credentials-").value();
  std::string m_path = os::environment("PATH").value();
};

TEST_F(CredentialsTest, TheFirstFileThatHasOneCounts) {
  const Credentials credentials(places());
  EXPECT_EQ(credentials.find("h", "h/x").value(), std::nullopt);
  write("docker/config.json", R"({"auths":{"h":{"username":"docker","password":"x"}}})");
  EXPECT_EQ(credentials.find("h", "h/x").value()->username, "docker");
  write("config/auth.json", R"({"auths":{"h/x":{"username":"podman","password":"x"}}})");
  EXPECT_EQ(credentials.find("h", "h/x").value()->username, "podman");
  EXPECT_EQ(credentials.find("h", "h/y").value()->username, "docker");
  auto named = places();
  named.named = path("run/nothing.json");
  EXPECT_EQ(Credentials(named).find("h", "h/x").value(), std::nullopt);
}

TEST_F(CredentialsTest, AFileThatCannotBeReadIsNamed) {
  write("docker/config.json", "{");
  const auto found = Credentials(places()).find("h", "h/x");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().render(), HasSubstr(path("docker/config.json")));
}

TEST_F(CredentialsTest, AreKeptInDockersFileForTheirOwnerAlone) {
  const Credentials credentials(places());
  EXPECT_EQ(credentials.save("h", k_me).value(), path("docker/config.json"));
  EXPECT_EQ(credentials.find("h", "h/x").value(), k_me);
  struct stat status {};
  ASSERT_EQ(stat(path("docker/config.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(CredentialsTest, AreKeptWhereOthersAre) {
  write("config/auth.json", R"({"auths":{"other":{"auth":"bWU6c2VjcmV0"}}})");
  write("docker/config.json", R"({"psFormat":"x"})");
  const Credentials credentials(places());
  EXPECT_EQ(credentials.save("h", k_me).value(), path("config/auth.json"));
  EXPECT_EQ(credentials.find("other", "other/x").value(), k_me);
}

TEST_F(CredentialsTest, ALinkToAFileStaysALink) {
  write("dotfiles/config.json", R"({"auths":{"other":{"auth":"bWU6c2VjcmV0"}}})");
  ASSERT_TRUE(os::make_directories(path("docker")));
  ASSERT_EQ(symlink("../dotfiles/config.json", path("docker/config.json").c_str()), 0);
  ASSERT_TRUE(Credentials(places()).save("h", k_me));
  EXPECT_THAT(os::read_file(path("dotfiles/config.json")).value(), HasSubstr("\"h\""));
  struct stat status {};
  ASSERT_EQ(lstat(path("docker/config.json").c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
}

TEST_F(CredentialsTest, AreTakenOutOfAllFiles) {
  write("config/auth.json", R"({"auths":{"h":{},"other":{}}})");
  write("docker/config.json", R"({"auths":{"h":{}}})");
  const Credentials credentials(places());
  EXPECT_THAT(credentials.remove("h").value(), ElementsAre(path("config/auth.json"), path("docker/config.json")));
  EXPECT_TRUE(credentials.remove("h").value().empty());
}

TEST_F(CredentialsTest, HelpersKeepThemInstead) {
  install_helper();
  write("docker/config.json", R"({"credsStore":"test"})");
  const Credentials credentials(places());
  EXPECT_EQ(credentials.find("docker.io", "docker.io/x").value(), std::nullopt);
  EXPECT_EQ(credentials.save("docker.io", k_me).value(), "docker-credential-test");
  EXPECT_THAT(os::read_file(path("kept")).value(), HasSubstr("https://index.docker.io/v1/"));
  EXPECT_EQ(credentials.find("docker.io", "docker.io/x").value(), k_me);
  EXPECT_EQ(credentials.find("h", "h/x").value(), std::nullopt);
  EXPECT_THAT(credentials.remove("docker.io").value(), ElementsAre("docker-credential-test"));
  const Credential token{"", "", "identity"};
  ASSERT_TRUE(credentials.save("h", token));
  EXPECT_EQ(credentials.find("h", "h/x").value(), token);
}

TEST_F(CredentialsTest, AHelperThatIsMissingIsNamed) {
  write("docker/config.json", R"({"credHelpers":{"h":"not-installed","g":"../evil"}})");
  const auto missing = Credentials(places()).find("h", "h/x");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().render(), HasSubstr("docker-credential-not-installed"));
  EXPECT_EQ(Credentials(places()).find("g", "g/x").error().code(), ErrorCode::invalid);
  EXPECT_EQ(Credentials(places()).find("other", "other/x").value(), std::nullopt);
}

} // namespace
} // namespace sheaf::registry
