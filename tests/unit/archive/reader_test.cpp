// SPDX-License-Identifier: Apache-2.0
// What the writer writes is what the reader reads; what neither wrote is refused.

#include "archive/reader.hpp"

#include <gmock/gmock.h>

#include "unit/archive/archive_support.hpp"

namespace sheaf::archive {
namespace {

using testing::HasSubstr;

std::vector<Member> read_all(const std::string& bytes) {
  std::vector<Member> members;
  auto reader = Reader::open_memory(bytes).value();
  while (auto next = reader.next().value()) {
    Member member{*next, {}};
    EXPECT_TRUE(reader.read([&member](std::uint64_t offset, std::string_view block) -> Result<void> {
      member.content.resize(offset);
      member.content += block;
      return {};
    }));
    members.push_back(std::move(member));
  }
  return members;
}

void expect_same(const Member& read, const Member& written) {
  EXPECT_EQ(read.entry.path, written.entry.path);
  EXPECT_EQ(read.entry.type, written.entry.type) << written.entry.path;
  EXPECT_EQ(read.entry.mode, written.entry.mode) << written.entry.path;
  EXPECT_EQ(read.entry.uid, written.entry.uid);
  EXPECT_EQ(read.entry.gid, written.entry.gid);
  EXPECT_EQ(read.entry.mtime, written.entry.mtime);
  EXPECT_EQ(read.entry.size, written.entry.size);
  EXPECT_EQ(read.entry.target, written.entry.target);
  EXPECT_EQ(read.entry.device_major, written.entry.device_major);
  EXPECT_EQ(read.entry.device_minor, written.entry.device_minor);
  EXPECT_EQ(read.entry.attributes, written.entry.attributes);
  EXPECT_EQ(read.content, written.content);
}

std::vector<Member> every_kind() {
  std::vector<Member> members = {folder("a/"),
                                 file("a/b", std::string(1000, 'x')),
                                 link("a/l", "b"),
                                 hard_link("a/h", "a/b"),
                                 file(std::string(300, 'n')),
                                 link("long", std::string(200, 't')),
                                 file("b\xC3\xA4\xFF\n", ""),
                                 {entry(EntryType::fifo, "fifo"), {}},
                                 {entry(EntryType::character_device, "null"), {}}};
  members.back().entry.device_major = 1;
  members.back().entry.device_minor = 3;
  members[1].entry.uid = 3'000'000;
  members[1].entry.mode = 06755;
  members[1].entry.mtime = -5;
  members[1].entry.attributes = {{"user.x", std::string("\0=\n", 3)}, {"security.capability", "c"}};
  return members;
}

TEST(TarReader, ReadsWhatTheWriterWrote) {
  const auto members = every_kind();
  const auto read = read_all(tar(members));
  ASSERT_EQ(read.size(), members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    expect_same(read[i], members[i]);
  }
}

TEST(TarReader, TheSameEntriesAreTheSameBytes) {
  EXPECT_EQ(tar(every_kind()), tar(every_kind()));
  // Nothing needs PAX: one header, one block, the end mark.
  EXPECT_EQ(tar({file("a")}).size(), 4U * 512U);
}

TEST(TarReader, DamageNamesTheLastEntry) {
  const auto bytes = tar({file("first", std::string(5000, 'a')), file("second", std::string(5000, 'b'))});
  auto reader = Reader::open_memory(bytes.substr(0, 7000)).value();
  ASSERT_TRUE(reader.next().value());
  ASSERT_TRUE(reader.next().value());
  const auto error = reader.read([](auto, auto) { return Result<void>(); }).error();
  EXPECT_EQ(error.code(), ErrorCode::corrupt);
  EXPECT_THAT(error.summary(), HasSubstr("'second'"));
}

TEST(IsArchive, KnowsTarBehindOneCompression) {
  os::TempDir directory = os::TempDir::create(testing::TempDir(), "sheaf-archive-").value();
  const auto write = [&](const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(os::write_file(directory.path() + "/" + name, bytes));
  };
  write("plain", tar({file("a")}));
  write("text", "just a text, longer than a few bytes\n");
  write("empty", "");
  write("notes.gz.txt", std::string("\x1f\x8b\x08 but no more", 16));
  const auto shell = [&](const std::string& command) {
    return std::system(("cd " + directory.path() + " && " + command).c_str()) == 0; // NOLINT(cert-env33-c)
  };
  const auto is = [&](const std::string& name) {
    const auto fd = os::open(directory.path() + "/" + name, O_RDONLY).value();
    const auto answer = is_archive(fd).value();
    EXPECT_EQ(lseek(fd.get(), 0, SEEK_CUR), 0) << name;
    return answer;
  };
  EXPECT_TRUE(is("plain"));
  EXPECT_FALSE(is("text"));
  EXPECT_FALSE(is("empty"));
  EXPECT_FALSE(is("notes.gz.txt"));
  ASSERT_TRUE(shell("gzip -k plain && gzip -k text && gzip <plain.gz >twice.gz"));
  EXPECT_TRUE(is("plain.gz"));
  EXPECT_FALSE(is("text.gz"));
  EXPECT_FALSE(is("twice.gz"));
  for (const std::string tool : {"bzip2", "xz", "zstd"}) {
    if (shell("command -v " + tool + " >/dev/null")) {
      ASSERT_TRUE(shell(tool + " -q <plain >plain." + tool));
      EXPECT_TRUE(is("plain." + tool)) << tool;
      EXPECT_EQ(read_all(os::read_file(directory.path() + "/plain." + tool).value()).size(), 1U) << tool;
    }
  }
}

} // namespace
} // namespace sheaf::archive
