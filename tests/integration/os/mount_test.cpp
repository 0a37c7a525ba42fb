// SPDX-License-Identifier: Apache-2.0
// Real overlay mounts of many lowers and of long paths: by root, and by an ordinary user in a user namespace.

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/namespaces.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>

namespace sheaf::os {
namespace {

constexpr unsigned k_nobody = 65534;

enum class Caller { root, user };

/// The maps take one write(2) each and no rename, so write_file does not do.
bool put(const char* path, const std::string& text) {
  const auto file = open(path, O_WRONLY);
  return file && write_all(*file, text).has_value();
}

class OverlayMount : public testing::TestWithParam<Caller> {
protected:
  void SetUp() override {
    if (GetParam() == Caller::root && effective_uid() != 0) {
      GTEST_SKIP() << "needs root";
    }
    m_uid = GetParam() == Caller::user && effective_uid() == 0 ? k_nobody : effective_uid();
    ASSERT_EQ(chown(m_directory.path().c_str(), m_uid, m_uid), 0);
  }

  /// Runs `test` as the caller of this case in a child, because entering a namespace cannot be undone. It returns what
  /// went wrong, or nothing.
  void in_child(const std::function<std::string()>& test) const {
    const pid_t child = os::fork_alone();
    if (child == 0) {
      const auto problem = become_caller() ? test() : std::string("cannot become the caller");
      fprintf(stderr, "%s", problem.empty() ? "" : (problem + "\n").c_str());
      _exit(problem.empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }

  /// "<root>/layers/<64 digits>/tree" for each lower: the file `own-<i>` and a file `all` that every lower has.
  static std::vector<std::string> lowers(const std::string& root, int count) {
    std::vector<std::string> paths;
    for (int i = 0; i < count; ++i) {
      paths.push_back(fmt::format("{}/layers/{:064d}/tree", root, i));
      EXPECT_TRUE(make_directories(paths.back()));
      EXPECT_TRUE(write_file(fmt::format("{}/own-{}", paths.back(), i), "x"));
      EXPECT_TRUE(write_file(paths.back() + "/all", std::to_string(i)));
    }
    return paths;
  }

  const std::string& path() const { return m_directory.path(); }

private:
  bool become_caller() const {
    if (GetParam() == Caller::root) {
      return true;
    }
    const bool is_user =
        effective_uid() == m_uid || (setresgid(m_uid, m_uid, m_uid) == 0 && setresuid(m_uid, m_uid, m_uid) == 0);
    // A process that changed its ids is not dumpable, and its files in /proc are root's.
    return is_user && prctl(PR_SET_DUMPABLE, 1) == 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", fmt::format("0 {} 1", m_uid)) &&
           put("/proc/self/gid_map", fmt::format("0 {} 1", m_uid));
  }

  TempDir m_directory = TempDir::create(testing::TempDir(), "sheaf-mount-").value();
  unsigned m_uid = 0;
};

/// What is wrong with the merged view of `count` lowers, or nothing.
std::string check_view(const Fd& mount, int count) {
  const auto root = open_at(mount, ".", O_RDONLY | O_DIRECTORY);
  const auto entries = root ? list_directory(*root) : Result<std::vector<DirectoryEntry>>(Error(root.error()));
  if (!entries) {
    return entries.error().summary();
  }
  if (entries->size() != static_cast<std::size_t>(count) + 1) {
    return fmt::format("{} entries instead of {}", entries->size(), count + 1);
  }
  const auto all = open_at(*root, "all", O_RDONLY);
  const auto text = all ? read_all(*all).value() : "unreadable";
  return text == std::to_string(count - 1) ? "" : fmt::format("'all' is of lower {}", text);
}

std::string mount_and_check(const std::vector<std::string>& lowers) {
  const auto mount = mount_overlay({lowers, "", "", false});
  return mount ? check_view(*mount, static_cast<int>(lowers.size())) : mount.error().summary();
}

/// 240 characters below the test's directory, as folders that a file system takes.
std::string long_root(const std::string& start) {
  std::string root = start;
  while (root.size() < 240) {
    root += "/" + std::string(std::min<std::size_t>(59, std::max<std::size_t>(1, 239 - root.size())), 'r');
  }
  return root;
}

TEST_P(OverlayMount, SixtyLowers) {
  in_child([this] { return mount_and_check(lowers(path(), 60)); });
}

TEST_P(OverlayMount, TwoHundredLowers) {
  in_child([this] { return mount_and_check(lowers(path(), 200)); });
}

TEST_P(OverlayMount, AStoreRootOf240Characters) {
  const auto root = long_root(path());
  ASSERT_EQ(root.size(), 240U);
  in_child([&] { return mount_and_check(lowers(root, 60)); });
}

TEST_P(OverlayMount, WritesGoToAnUpperOfALongPath) {
  const auto root = long_root(path());
  in_child([&]() -> std::string {
    const auto upper = root + "/tmp/build-123456/layer/tree";
    const auto work = root + "/tmp/build-123456/work-of-the-layer";
    if (!make_directories(upper) || !make_directories(work)) {
      return "cannot make the directories";
    }
    const auto mount = mount_overlay({lowers(root, 3), upper, work, false});
    if (!mount) {
      return mount.error().summary();
    }
    const auto file = open_at(*mount, "all", O_WRONLY | O_TRUNC);
    if (!file || !write_all(*file, "changed") || unlinkat(mount->get(), "own-0", 0) != 0) {
      return "cannot change the merged view";
    }
    struct stat info {};
    if (lstat((upper + "/own-0").c_str(), &info) != 0 || !S_ISCHR(info.st_mode)) {
      return "no whiteout in the upper directory";
    }
    return read_file(upper + "/all").value_or("nothing") == "changed" ? "" : "the change is not in the upper directory";
  });
}

TEST_P(OverlayMount, MoreLowersThanTheKernelTakesIsAnErrorWithAdvice) {
  in_child([]() -> std::string {
    const auto mount = mount_overlay({std::vector<std::string>(501, "/"), "", "", false});
    if (mount || mount.error().code() != ErrorCode::unsupported) {
      return "no error, or another one";
    }
    const auto text = mount.error().summary() + mount.error().hint();
    return text.find("at most 500") != std::string::npos && text.find("flatten") != std::string::npos ? "" : text;
  });
}

TEST_P(OverlayMount, FiveHundredLowers) {
  in_child([this] { return mount_and_check(lowers(path(), 500)); });
}

INSTANTIATE_TEST_SUITE_P(As, OverlayMount, testing::Values(Caller::root, Caller::user),
                         [](const auto& info) { return info.param == Caller::root ? "Root" : "User"; });

} // namespace
} // namespace sheaf::os
