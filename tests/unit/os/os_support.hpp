// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace sheaf::os {

/// A test with a directory of its own.
class InTempDir : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  const std::string& root() const { return m_directory.path(); }
  void write(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(write_file(path(name), content));
  }
  void link(const std::string& target, const std::string& name) const {
    ASSERT_EQ(symlink(target.c_str(), path(name).c_str()), 0);
  }
  void make(const std::string& name) const { ASSERT_TRUE(make_directories(path(name))); }

private:
  TempDir m_directory = TempDir::create(testing::TempDir(), "sheaf-os-").value();
};

} // namespace sheaf::os
