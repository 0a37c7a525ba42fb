// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "layer/capture.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/namespaces.hpp"
#include "os/temp_dir.hpp"
#include "os/xattr.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <map>

namespace sheaf::layer {

constexpr std::int64_t k_epoch = 1'000'000'000;

/// Makes trees below a directory of its own, and captures one of them against others.
class CaptureBase : public testing::Test {
protected:
  void SetUp() override {
    if (os::effective_uid() != 0 || !os::in_initial_user_namespace()) {
      GTEST_SKIP() << "needs root for device nodes, owners and trusted attributes";
    }
    directory("upper");
    directory("parent");
  }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void directory(const std::string& name, mode_t mode = 0755) const {
    ASSERT_TRUE(os::make_directories(path(name)));
    ASSERT_EQ(chmod(path(name).c_str(), mode), 0);
  }
  void file(const std::string& name, const std::string& content = "x") const {
    ASSERT_TRUE(os::make_directories(path(name).substr(0, path(name).rfind('/'))));
    ASSERT_TRUE(os::write_file(path(name), content));
  }
  void symlink(const std::string& target, const std::string& name) const {
    ASSERT_EQ(::symlink(target.c_str(), path(name).c_str()), 0);
  }
  void hard_link(const std::string& first, const std::string& name) const {
    ASSERT_EQ(::link(path(first).c_str(), path(name).c_str()), 0);
  }
  void whiteout(const std::string& name) const { ASSERT_EQ(mknod(path(name).c_str(), S_IFCHR, makedev(0, 0)), 0); }
  void attribute(const std::string& name, const std::string& attribute, const std::string& value) const {
    const auto root = os::open(path("."), O_RDONLY | O_DIRECTORY).value();
    const auto set = os::set_attribute_at(root, name, attribute, value);
    ASSERT_TRUE(set) << set.error().summary();
  }
  void opaque(const std::string& name) const { attribute(name, "trusted.overlay.opaque", "y"); }
  std::map<std::string, std::string> attributes(const std::string& name) const {
    return os::attributes_at(os::open(path("."), O_RDONLY | O_DIRECTORY).value(), name).value();
  }
  void set_time(const std::string& name, std::int64_t seconds, long nanoseconds = 0) const {
    const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(utimensat(AT_FDCWD, path(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  struct stat look(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(lstat(path(name).c_str(), &info), 0) << name;
    return info;
  }
  bool exists(const std::string& name) const { return os::exists(path(name)); }

  Captured capture_on(const std::vector<std::string>& lowers, const std::string& upper = "upper",
                      std::function<bool(std::string_view)> is_shared_state = {}) const {
    const auto parent = ParentView::open(lowers).value();
    auto captured = capture(path(upper), parent, {k_epoch, std::move(is_shared_state), {}, CaptureRules()});
    EXPECT_TRUE(captured) << captured.error().summary();
    return std::move(captured).value();
  }
  Captured capture_on_parent() const { return capture_on({path("parent")}); }
  Captured capture_base() const { return capture_on({}); }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-capture-").value();
};

/// "d usr", "f usr/a", …, in the inventory's order.
inline std::vector<std::string> outline(const Captured& captured) {
  std::vector<std::string> lines;
  for (const auto& entry : captured.inventory.entries) {
    lines.push_back(std::string(1, static_cast<char>(entry.type)) + " " + entry.path);
  }
  return lines;
}

inline const Entry& entry_at(const Captured& captured, const std::string& path) {
  static const Entry k_none;
  for (const auto& entry : captured.inventory.entries) {
    if (entry.path == path) {
      return entry;
    }
  }
  ADD_FAILURE() << "no entry '" << path << "'";
  return k_none;
}

} // namespace sheaf::layer
