// SPDX-License-Identifier: Apache-2.0
#include "builder/run_spec.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace sheaf::builder {
namespace {

using testing::ElementsAre;
using Sharing = plan::CacheMount::Sharing;

plan::RunStep step_with(
    const std::string& target,
    std::variant<plan::BindMountSource, plan::CacheMount, plan::TmpfsMount, plan::SecretMount, plan::SshMount> what) {
  plan::RunStep step;
  step.argv = {"true"};
  step.mounts.push_back({target, std::move(what)});
  return step;
}

const sandbox::RunCommand& only_command(const sandbox::SandboxSpec& spec) {
  return std::get<std::vector<sandbox::RunCommand>>(spec.action).at(0);
}

RunResources with_secret() {
  RunResources resources;
  resources.secret = [](const std::string& id) -> Result<std::optional<std::string>> {
    return id == "key" ? std::optional<std::string>("hidden") : std::nullopt;
  };
  return resources;
}

TEST(RunSpec, TheStepsOwnVariablesWin) {
  plan::RunStep step;
  step.argv = {"make"};
  step.directory = "/src";
  step.user = "dev";
  step.environment = {{"PATH", "/a"}, {"proxy", "mine"}, {"PATH", "/b"}};
  step.security = plan::Security::insecure;
  step.network = plan::Network::none;
  RunResources resources;
  resources.environment = {{"cert", "x"}, {"proxy", "host"}};
  sandbox::SandboxSpec spec;
  ASSERT_TRUE(add_run(spec, step, resources));
  const auto& command = only_command(spec);
  EXPECT_THAT(command.environment, ElementsAre("cert=x", "proxy=mine", "PATH=/b"));
  EXPECT_EQ(command.directory, "/src");
  EXPECT_EQ(command.user, "dev");
  EXPECT_TRUE(command.is_privileged);
  EXPECT_EQ(spec.network, sandbox::Network::none);
}

TEST(RunSpec, AScriptIsAFileThatIsRun) {
  plan::RunStep step;
  step.script = "#!/bin/sh\n";
  sandbox::SandboxSpec spec;
  ASSERT_TRUE(add_run(spec, step, {}));
  ASSERT_EQ(spec.secrets.size(), 1U);
  EXPECT_EQ(spec.secrets[0].mode, 0755U);
  EXPECT_THAT(only_command(spec).argv, ElementsAre(spec.secrets[0].target));
  EXPECT_TRUE(needs_own_sandbox(step));
}

TEST(RunSpec, SecretsAreFilesOrVariables) {
  sandbox::SandboxSpec spec;
  ASSERT_TRUE(add_run(spec, step_with("", plan::SecretMount{"key", true, "", 1, 2, 0440}), with_secret()));
  ASSERT_EQ(spec.secrets.size(), 1U);
  EXPECT_EQ(spec.secrets[0].target, "/run/secrets/key");
  EXPECT_EQ(spec.secrets[0].content, "hidden");
  EXPECT_EQ(spec.secrets[0].uid, 1U);
  sandbox::SandboxSpec variable;
  ASSERT_TRUE(add_run(variable, step_with("", plan::SecretMount{"key", true, "KEY"}), with_secret()));
  EXPECT_TRUE(variable.secrets.empty());
  EXPECT_THAT(only_command(variable).environment, ElementsAre("KEY=hidden"));
}

TEST(RunSpec, OnlyRequiredSecretsMustBeThere) {
  sandbox::SandboxSpec spec;
  EXPECT_TRUE(add_run(spec, step_with("/x", plan::SecretMount{"other"}), with_secret()));
  EXPECT_TRUE(spec.secrets.empty());
  const auto missing = add_run(spec, step_with("/x", plan::SecretMount{"other", true}), with_secret());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
  EXPECT_EQ(add_run(spec, step_with("/x", plan::SecretMount{"key"}), {}).error().code(), ErrorCode::unsupported);
}

TEST(RunSpec, WritableBindsGetAnUpperOfTheirOwn) {
  RunResources resources;
  resources.lowers = [](const plan::Source&) -> Result<std::vector<std::string>> { return {{"/low", "/high"}}; };
  resources.fresh_directory = [](const std::string& prefix) -> Result<std::string> { return "/tmp/" + prefix; };
  sandbox::SandboxSpec spec;
  ASSERT_TRUE(add_run(spec, step_with("/mnt", plan::BindMountSource{{}, "/sub", true}), resources));
  ASSERT_EQ(spec.trees.size(), 1U);
  EXPECT_THAT(spec.trees[0].lowers, ElementsAre("/low", "/high"));
  EXPECT_EQ(spec.trees[0].path, "/sub");
  EXPECT_NE(spec.trees[0].upper, "");
  EXPECT_NE(spec.trees[0].upper, spec.trees[0].work);
}

plan::CacheMount cache(Sharing sharing) {
  plan::CacheMount mount;
  mount.id = "id";
  mount.sharing = sharing;
  mount.mode = 0750;
  return mount;
}

/// Two commands that take the same locks in different order, or one that takes a lock twice, would wait forever.
TEST(RunSpec, TakesEachCacheOnceAndInTheOrderOfTheirIds) {
  auto step = step_with("/one", cache(Sharing::shared));
  auto first = cache(Sharing::shared);
  first.id = "a";
  step.mounts.push_back({"/two", cache(Sharing::locked)});
  step.mounts.push_back({"/three", first});
  std::vector<plan::CacheMount> taken;
  RunResources resources;
  resources.cache = [&](const plan::CacheMount& mount) -> Result<CacheDirectory> {
    taken.push_back(mount);
    return CacheDirectory{"/caches/" + mount.id, std::nullopt};
  };
  sandbox::SandboxSpec spec;
  const auto lease = add_run(spec, step, resources);
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->caches.size(), 2U);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].id, "a");
  EXPECT_EQ(taken[1].sharing, Sharing::locked);
  ASSERT_EQ(spec.binds.size(), 3U);
  EXPECT_EQ(spec.binds[0].source, spec.binds[1].source);
  EXPECT_EQ(spec.binds[2].source, "/caches/a");
}

TEST(CacheMounts, AreSharedLockedOrPrivate) {
  const auto folder = os::TempDir::create(testing::TempDir(), "sheaf-caches-").value();
  const CacheMounts caches(folder.path());
  const auto first = caches.take(cache(Sharing::shared), {}, "", {}).value();
  const auto second = caches.take(cache(Sharing::shared), {}, "", {}).value();
  EXPECT_EQ(first.path, second.path);
  const auto own = caches.take(cache(Sharing::private_copy), {}, "", {}).value();
  const auto other = caches.take(cache(Sharing::private_copy), {}, "", {}).value();
  EXPECT_NE(own.path, first.path);
  EXPECT_NE(own.path, other.path);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(caches.take(cache(Sharing::locked), {}, "", stop.get_token()).error().code(), ErrorCode::cancelled);
  struct stat info {};
  ASSERT_EQ(stat(first.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0750U);
}

TEST(CacheMounts, StartWithACopyAndKeepWhatWasPutThere) {
  const auto folder = os::TempDir::create(testing::TempDir(), "sheaf-caches-").value();
  const auto lower = folder.path() + "/lower";
  ASSERT_TRUE(os::make_directories(lower + "/start"));
  ASSERT_TRUE(os::write_file(lower + "/start/file", "x"));
  auto mount = cache(Sharing::locked);
  mount.uid = geteuid();
  mount.gid = getegid();
  mount.path = "/start";
  const CacheMounts caches(folder.path() + "/caches");
  std::string path;
  {
    const auto taken = caches.take(mount, {lower}, "stage", {}).value();
    path = taken.path;
    EXPECT_EQ(os::read_file(path + "/file").value(), "x");
    ASSERT_TRUE(os::write_file(path + "/file", "mine"));
  }
  EXPECT_EQ(caches.take(mount, {lower}, "stage", {}).value().path, path);
  EXPECT_EQ(os::read_file(path + "/file").value(), "mine");
  mount.path = "/missing";
  EXPECT_EQ(caches.take(mount, {lower}, "stage", {}).error().code(), ErrorCode::not_found);
}

os::Fd socket_at(const std::string& path, bool listens) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  os::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  const int result = listens ? bind(fd.get(), any, sizeof address) : connect(fd.get(), any, sizeof address);
  EXPECT_EQ(result, 0) << path;
  EXPECT_TRUE(!listens || listen(fd.get(), 4) == 0);
  return fd;
}

TEST(AgentProxy, PassesQuestionsAndAnswersOn) {
  const auto folder = os::TempDir::create("/tmp", "sheaf-agent-").value();
  const auto agent = socket_at(folder.path() + "/agent", true);
  const auto place = folder.path() + "/proxy";
  {
    const auto proxy = AgentProxy::start(folder.path() + "/agent", place, geteuid(), getegid(), 0600).value();
    const os::Fd probe(accept(agent.get(), nullptr, nullptr)); // start looks whether there is an agent
    const auto client = socket_at(place, false);
    const os::Fd server(accept(agent.get(), nullptr, nullptr));
    ASSERT_TRUE(os::write_all(client, "question"));
    std::string text(8, '\0');
    ASSERT_EQ(read(server.get(), text.data(), text.size()), 8);
    EXPECT_EQ(text, "question");
    ASSERT_TRUE(os::write_all(server, "answered"));
    ASSERT_EQ(read(client.get(), text.data(), text.size()), 8);
    EXPECT_EQ(text, "answered");
    struct stat info {};
    ASSERT_EQ(stat(place.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
  }
  EXPECT_FALSE(os::exists(place));
  EXPECT_FALSE(AgentProxy::start("/does/not/exist", place, 0, 0, 0600));
}

} // namespace
} // namespace sheaf::builder
