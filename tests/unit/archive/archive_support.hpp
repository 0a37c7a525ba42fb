// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/tree_writer.hpp"
#include "archive/unpack.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sheaf::archive {

struct Member {
  Entry entry;
  std::string content;
};

/// Owned by whoever runs the test, so that an ordinary user can unpack it.
inline Entry entry(EntryType type, std::string path, std::string target = {}) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = type;
  entry.mode = type == EntryType::directory ? 0755 : 0644;
  entry.uid = geteuid();
  entry.gid = getegid();
  entry.mtime = 1'000'000'000;
  entry.target = std::move(target);
  return entry;
}
inline Member file(std::string path, std::string content = "x") {
  Member member{entry(EntryType::file, std::move(path)), std::move(content)};
  member.entry.size = member.content.size();
  return member;
}
inline Member folder(std::string path) { return {entry(EntryType::directory, std::move(path)), {}}; }
inline Member link(std::string path, std::string target) {
  return {entry(EntryType::symlink, std::move(path), std::move(target)), {}};
}
inline Member hard_link(std::string path, std::string target) {
  return {entry(EntryType::hard_link, std::move(path), std::move(target)), {}};
}

inline std::string tar(const std::vector<Member>& members) {
  const auto out = os::memory_file("").value();
  TarWriter writer(out);
  for (const auto& member : members) {
    const auto content = os::memory_file(member.content).value();
    EXPECT_TRUE(writer.add(member.entry, &content));
  }
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(lseek(out.get(), 0, SEEK_SET), 0);
  return os::read_all(out).value();
}

/// A test with a directory to unpack into, "root", and something beside it that must stay as it is.
class InRoot : public testing::Test {
protected:
  explicit InRoot(const std::string& parent = testing::TempDir())
      : m_directory(os::TempDir::create(parent, "sheaf-archive-").value()) {}
  std::string beside(const std::string& name) const { return m_directory.path() + "/" + name; }
  std::string path(const std::string& name) const { return beside("root/" + name); }
  Result<Unpacked> unpack_all(const std::string& bytes, const UnpackOptions& options = {},
                              const std::string& directory = "") const {
    auto reader = Reader::open_memory(bytes);
    if (!reader) {
      return reader.error();
    }
    const auto root = os::open(beside("root"), O_RDONLY | O_DIRECTORY).value();
    return unpack(*reader, root, directory, options);
  }
  struct stat info(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(lstat(path(name).c_str(), &info), 0) << name;
    return info;
  }
  std::string content(const std::string& name) const { return os::read_file(path(name)).value_or("<none>"); }
  bool exists(const std::string& name) const {
    struct stat info {};
    return lstat(path(name).c_str(), &info) == 0;
  }

private:
  void SetUp() override {
    ASSERT_TRUE(os::make_directories(beside("root")));
    ASSERT_TRUE(os::write_file(beside("outside"), "untouched"));
  }
  void TearDown() override { EXPECT_EQ(os::read_file(beside("outside")).value_or(""), "untouched"); }
  os::TempDir m_directory;
};

} // namespace sheaf::archive
