// SPDX-License-Identifier: Apache-2.0
#pragma once

// A root of busybox alone, and sandboxes on it as root and as an ordinary user.

#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "os/temp_dir.hpp"
#include "sandbox/runtime.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace sheaf::sandbox {

enum class Caller { root, user };

/// What a run gave.
struct Ran {
  Result<Outcome> outcome;
  /// Standard output and error.
  std::string text;
};

/// Directories of one test, and its runtime.
class Playground {
public:
  explicit Playground(std::string path) : m_path(std::move(path)), m_runtime(native_runtime()) {}

  /// A new empty directory.
  std::string folder(const std::string& name) {
    const auto path = fmt::format("{}/{}-{}", m_path, name, m_count++);
    std::filesystem::create_directories(path);
    chmod(path.c_str(), 0755);
    return path;
  }

  /// `script` by busybox's shell in a root that has nothing but it.
  SandboxSpec spec(const std::string& script) {
    const auto lower = folder("lower");
    std::filesystem::create_directories(lower + "/bin");
    std::filesystem::copy_file("/bin/busybox", lower + "/bin/busybox");
    for (const auto* name :
         {"sh",   "cat", "ls",   "stat",     "id", "touch",    "mkdir", "rm",    "chmod", "sleep", "grep",
          "find", "df",  "true", "readlink", "wc", "ifconfig", "chown", "mount", "nc",    "ps"}) {
      std::filesystem::create_symlink("busybox", lower + "/bin/" + name);
    }
    SandboxSpec spec;
    spec.lowers = {lower};
    spec.upper = folder("upper");
    refresh(spec);
    RunCommand command;
    command.argv = {"/bin/sh", "-c", script};
    command.environment = {"PATH=/bin"};
    spec.action = std::vector<RunCommand>{command};
    return spec;
  }

  /// What has to be new for every run.
  void refresh(SandboxSpec& spec) {
    spec.work = folder("work");
    spec.mount_point = folder("root");
  }

  Ran run(const SandboxSpec& spec, std::stop_token stop = {}) {
    const auto output = os::memory_file("").value();
    auto outcome = m_runtime->run(spec, {-1, output.get(), output.get()}, stop, {});
    lseek(output.get(), 0, SEEK_SET);
    return {std::move(outcome), os::read_all(output).value()};
  }

  Runtime& runtime() { return *m_runtime; }

private:
  std::string m_path;
  std::unique_ptr<Runtime> m_runtime;
  int m_count = 0;
};

inline RunCommand& command_of(SandboxSpec& spec) { return std::get<std::vector<RunCommand>>(spec.action).front(); }

/// Paths below `directory`, sorted, with a space between.
inline std::string listing(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    paths.push_back(entry.path().string().substr(directory.size() + 1));
  }
  std::sort(paths.begin(), paths.end());
  std::string text;
  for (const auto& path : paths) {
    text += (text.empty() ? "" : " ") + path;
  }
  return text;
}

/// "" or what differs.
inline std::string differs(const std::string& what, const std::string& is, const std::string& should) {
  return is == should ? "" : fmt::format("{} is '{}' and not '{}'; ", what, is, should);
}

inline std::string problem_of(const Ran& ran) {
  if (!ran.outcome) {
    return ran.outcome.error().render() + "; " + ran.text;
  }
  return ran.outcome->status.ok() ? "" : ran.outcome->status.to_string() + ": " + ran.text;
}

/// Runs, and says what is wrong with the end or the output.
inline std::string expect_output(Playground& ground, const SandboxSpec& spec, const std::string& output) {
  const auto ran = ground.run(spec);
  return problem_of(ran) + differs("the output", ran.text, output);
}

class SandboxTest : public testing::TestWithParam<Caller> {
protected:
  static constexpr const char* k_user = "sheaf-test";

  void SetUp() override {
    if (access("/bin/busybox", X_OK) != 0) {
      GTEST_SKIP() << "needs /bin/busybox, linked statically";
    }
    if (os::effective_uid() != 0 && GetParam() == Caller::root) {
      GTEST_SKIP() << "needs root";
    }
    if (os::effective_uid() == 0 && GetParam() == Caller::user && getpwnam(k_user) == nullptr) {
      GTEST_SKIP() << "needs a user '" << k_user << "' with a range in /etc/subuid";
    }
  }

  /// Runs `test` as the caller of this case in a child, because entering a namespace cannot be undone.
  void in_child(const std::function<std::string(Playground&)>& test) const {
    const pid_t child = os::fork_alone();
    if (child == 0) {
      const auto problem = in_this_process(test);
      fprintf(stderr, "%s", problem.empty() ? "" : (problem + "\n").c_str());
      _exit(problem.empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }

private:
  static std::string in_this_process(const std::function<std::string(Playground&)>& test) {
    umask(022);
    if (GetParam() == Caller::user) {
      const auto* user = os::effective_uid() == 0 ? getpwnam(k_user) : nullptr;
      if (user != nullptr &&
          (initgroups(k_user, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
        return "cannot become the user";
      }
      prctl(PR_SET_DUMPABLE, 1);
      if (const auto entered = os::enter_user_namespace(os::OwnMounts::no); !entered) {
        return entered.error().render();
      }
    }
    const auto directory = os::TempDir::create("/tmp", "sheaf-sandbox-");
    if (!directory) {
      return directory.error().render();
    }
    Playground ground(directory->path());
    return test(ground);
  }
};

} // namespace sheaf::sandbox
