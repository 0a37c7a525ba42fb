// SPDX-License-Identifier: Apache-2.0
#include "archive/layer_writer.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <gmock/gmock.h>

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "unit/archive/archive_support.hpp"

namespace sheaf::archive {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LayerWriter : public InRoot {
protected:
  Result<WrittenLayer> write(std::string& to, LayerOptions options = {}, const std::string& name = "root") const {
    to.clear();
    const auto root = os::open(beside(name), O_RDONLY | O_DIRECTORY).value();
    return write_layer(root, options,
                       [&to](std::string_view bytes) -> Result<void> {
                         to += bytes;
                         return {};
                       },
                       {});
  }
  std::string tar_of(const std::string& name = "root", const std::vector<Entry>& devices = {}) const {
    std::string bytes;
    const auto written = write(bytes, {Packing::none, 1, devices}, name);
    EXPECT_TRUE(written) << written.error().render();
    return bytes;
  }
  static std::vector<Entry> entries(const std::string& bytes) {
    auto reader = Reader::open_memory(bytes).value();
    std::vector<Entry> all;
    while (auto entry = reader.next().value()) {
      all.push_back(std::move(*entry));
    }
    return all;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : entries(tar_of())) {
      all.push_back(entry.path + (entry.type == EntryType::hard_link ? "=" + entry.target : ""));
    }
    return all;
  }
  void whiteout(const std::string& name) const {
    ASSERT_EQ(mknod(path(name).c_str(), S_IFCHR, makedev(0, 0)), 0) << strerror(errno);
  }
  void set(const std::string& name, const std::string& attribute, const std::string& value) const {
    ASSERT_EQ(lsetxattr(path(name).c_str(), attribute.c_str(), value.data(), value.size(), 0), 0) << strerror(errno);
  }
  static std::string mark() { return std::string(os::overlay_prefix()) + "opaque"; }
};

TEST_F(LayerWriter, MarksBecomeNames) {
  if (os::overlay_prefix().starts_with("trusted") && geteuid() != 0) {
    GTEST_SKIP() << "needs root or a user namespace: marks of overlayfs";
  }
  ASSERT_TRUE(unpack_all(tar({folder("b"), file("b/a"), folder("b/z"), file("c"), folder("a")})));
  whiteout("b/gone");
  ASSERT_EQ(linkat(AT_FDCWD, path("b/gone").c_str(), AT_FDCWD, path("also").c_str(), 0), 0); // as overlayfs does
  set("b", mark(), "y");
  EXPECT_THAT(names(), ElementsAre("a/", ".wh.also", "b/", "b/.wh..wh..opq", "b/a", "b/.wh.gone", "b/z/", "c"));
  for (const auto& entry : entries(tar_of())) {
    EXPECT_TRUE(entry.attributes.empty()) << entry.path;
    const bool is_mark = entry.path.find(".wh.") != std::string::npos;
    EXPECT_TRUE(!is_mark || (entry.type == EntryType::file && entry.size == 0 && entry.uid == 0 && entry.mtime == 0));
  }
}

TEST_F(LayerWriter, SortsFindsHardLinksAndLeavesOutSockets) {
  ASSERT_TRUE(unpack_all(tar({file("z"), hard_link("a", "z"), folder("m"), hard_link("m/x", "z"), link("l", "/z")})));
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("s").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(fd);
  EXPECT_THAT(names(), ElementsAre("a", "l", "m/", "m/x=a", "z=a"));
}

TEST_F(LayerWriter, KeepsAttributesOfFilesOnly) {
  ASSERT_TRUE(unpack_all(tar({file("a"), file("b")})));
  set("a", "user.mime", std::string("x\0\n=y", 5));
  set("b", "user.overlay.origin", "elsewhere");
  const auto all = entries(tar_of());
  EXPECT_THAT(all.at(0).attributes, ElementsAre(std::pair("user.mime", std::string("x\0\n=y", 5))));
  EXPECT_TRUE(all.at(1).attributes.empty());
}

TEST_F(LayerWriter, WhatDoesNotFitGoesToExtendedHeaders) {
  const std::string longest(200, 'n');
  Member big = file(longest + "/" + longest, "x");
  big.entry.mtime = -5;
  ASSERT_TRUE(unpack_all(tar({big, link("l", longest + "/" + longest), file("\xff\xfe bytes"), file("späť")})));
  const auto all = entries(tar_of());
  EXPECT_EQ(all.at(0).target, longest + "/" + longest);
  EXPECT_EQ(all.at(2).path, longest + "/" + longest);
  EXPECT_EQ(all.at(2).mtime, -5);
  EXPECT_EQ(all.at(3).path, "späť");
  EXPECT_EQ(all.at(4).path, "\xff\xfe bytes");
}

TEST_F(LayerWriter, HolesAreWrittenAsZeros) {
  ASSERT_TRUE(os::write_file(path("sparse"), ""));
  ASSERT_EQ(truncate(path("sparse").c_str(), 3 << 20), 0);
  ASSERT_TRUE(os::write_file(path("zeros"), std::string(3U << 20U, '\0')));
  const auto all = entries(tar_of());
  EXPECT_EQ(all.at(0).size, all.at(1).size);
  std::string packed;
  const auto written = write(packed, {Packing::zstd, 1, {}}).value();
  EXPECT_GT(written.tar_bytes, 6U << 20U);
  EXPECT_LT(packed.size(), 4096U);
}

TEST_F(LayerWriter, RefusesANameThatMeansADeletion) {
  ASSERT_TRUE(unpack_all(tar({file("d/.wh.x")})));
  std::string bytes;
  const auto written = write(bytes);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::unsupported);
  EXPECT_THAT(written.error().summary(), HasSubstr("adding 'd/.wh.x'"));
}

TEST_F(LayerWriter, DevicesThatCouldNotBeMadeAreWrittenInTheirPlace) {
  ASSERT_TRUE(unpack_all(tar({folder("dev"), file("dev/b"), file("x")})));
  std::vector<Entry> devices;
  for (const auto* name : {"a", "dev/a", "dev/b", "dev/c", "zz"}) {
    devices.push_back(entry(EntryType::character_device, name));
    devices.back().device_major = 1;
    devices.back().device_minor = 3;
  }
  std::vector<std::string> all;
  for (const auto& one : entries(tar_of("root", devices))) {
    all.push_back(one.path + (one.type == EntryType::character_device ? "!" : ""));
  }
  EXPECT_THAT(all, ElementsAre("a!", "dev/", "dev/a!", "dev/b", "dev/c!", "x", "zz!"));
}

TEST_F(LayerWriter, DigestsAreThoseOfTheBytes) {
  ASSERT_TRUE(unpack_all(tar({file("a", std::string(100'000, 'a')), folder("d")})));
  const auto plain = tar_of();
  for (const auto packing : {Packing::none, Packing::gzip, Packing::zstd}) {
    std::string bytes;
    const auto written = write(bytes, {packing, 2, {}}).value();
    EXPECT_EQ(written.diff_id, Digest::of(plain));
    EXPECT_EQ(written.tar_bytes, plain.size());
    EXPECT_EQ(written.blob, Digest::of(bytes));
    EXPECT_EQ(written.blob_bytes, bytes.size());
    EXPECT_EQ(written.entries, 2U);
  }
}

TEST_F(LayerWriter, StopsWhenAsked) {
  ASSERT_TRUE(unpack_all(tar({file("a")})));
  const auto root = os::open(beside("root"), O_RDONLY | O_DIRECTORY).value();
  std::stop_source stop;
  stop.request_stop();
  const auto written = write_layer(
      root, {}, [](std::string_view) -> Result<void> { return {}; }, stop.get_token());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::cancelled);
}

/// A law: what is written and unpacked is the same tree, and gives the same bytes again.
TEST_F(LayerWriter, RandomTreesComeBack) {
  std::mt19937 random(1);
  const auto below = [&](unsigned limit) { return random() % limit; };
  for (int round = 0; round < 40; ++round) {
    std::vector<Member> members;
    std::vector<std::string> folders = {""};
    std::vector<std::string> files;
    for (unsigned i = 0, count = below(40); i < count; ++i) {
      std::string name = folders[below(static_cast<unsigned>(folders.size()))];
      name += "n" + std::to_string(i) + std::string(below(4) == 0 ? 120 : below(9), static_cast<char>('a' + below(26)));
      Member member = file(name, std::string(below(3) == 0 ? 0 : below(2000), static_cast<char>(below(256))));
      const auto kind = below(6);
      if (kind == 0) {
        member = folder(name);
        folders.push_back(name + "/");
      } else if (kind == 1) {
        member = link(name, std::string(1 + below(150), '/'));
      } else if (kind == 2 && !files.empty()) {
        member = hard_link(name, files[below(static_cast<unsigned>(files.size()))]);
      } else {
        files.push_back(name);
        member.entry.mode = 0400 + below(0400);
      }
      member.entry.mtime = below(2'000'000'000);
      if (below(5) == 0 && member.entry.type == EntryType::file) {
        member.entry.attributes["user.x"] = std::string(below(300), '\n');
      }
      members.push_back(std::move(member));
    }
    const auto base = "round" + std::to_string(round);
    ASSERT_TRUE(os::make_directories(beside(base + "a")));
    ASSERT_TRUE(os::make_directories(beside(base + "b")));
    const auto unpack_to = [&](const std::string& bytes, const std::string& name) {
      auto reader = Reader::open_memory(bytes).value();
      const auto root = os::open(beside(name), O_RDONLY | O_DIRECTORY).value();
      UnpackOptions options;
      options.whiteouts = Whiteouts::overlay;
      const auto done = unpack(reader, root, "", options);
      ASSERT_TRUE(done) << done.error().render();
    };
    unpack_to(tar(members), base + "a");
    const auto first = tar_of(base + "a");
    unpack_to(first, base + "b");
    EXPECT_TRUE(tar_of(base + "b") == first) << round;
    EXPECT_EQ(entries(first).size(), members.size());
  }
}

} // namespace
} // namespace sheaf::archive
