// SPDX-License-Identifier: Apache-2.0
// What skopeo, umoci, podman and buildah read of ours, and what they write for us.

#include "os/capture.hpp"

#include <gmock/gmock.h>

#include <sys/xattr.h>

#include "unit/image/image_support.hpp"

namespace sheaf::image {
namespace {

using archive::file;
using archive::folder;
using archive::hard_link;
using archive::link;
using testing::HasSubstr;

class Interop : public WithStore {
protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root: umoci and podman unpack images";
    }
  }

  static bool has(const std::string& program) { return os::find_program(program).has_value(); }

  /// Standard output; a failure of the program is one of the test.
  static std::string run(const std::vector<std::string>& argv) {
    const auto done = os::capture({argv, std::nullopt, {}, false}, {});
    EXPECT_TRUE(done) << argv[0];
    if (!done) {
      return {};
    }
    EXPECT_TRUE(done->status.ok()) << fmt::format("{}", fmt::join(argv, " ")) << "\n" << done->errors << done->output;
    return done->output;
  }

  /// Two layers: the second deletes, hides and replaces something of the first.
  store::ImageRecord sample() {
    auto record = image(m_store);
    Member setuid = file("bin/tool", "#!/bin/sh\n");
    setuid.entry.mode = 04755;
    setuid.entry.attributes["user.note"] = "kept";
    Member owned = file("owned", "x");
    owned.entry.uid = 1234;
    owned.entry.gid = 5678;
    record.trees = {
        tree(m_store, {folder("bin"), setuid, folder("d"), file("d/old"), file("gone"), folder("h"), file("h/hidden"),
                       owned, link("l", "bin/tool"), hard_link("bin/same", "bin/tool"), file("späť", "utf")}),
        tree(m_store, {file(".wh.gone"), folder("d"), file("d/new"), folder("h"), file("h/.wh..wh..opq"),
                       file("h/shown"), file(std::string(150, 'n'), std::string(2'000'000, 'z'))})};
    record.image.config.environment = {{"PATH", "/bin"}};
    return record;
  }

  static void expect_sample(const std::string& root) {
    EXPECT_EQ(os::read_file(root + "/bin/same").value_or(""), "#!/bin/sh\n");
    EXPECT_FALSE(os::exists(root + "/gone"));
    EXPECT_TRUE(os::exists(root + "/d/old"));
    EXPECT_TRUE(os::exists(root + "/d/new"));
    EXPECT_FALSE(os::exists(root + "/h/hidden"));
    EXPECT_TRUE(os::exists(root + "/h/shown"));
    EXPECT_EQ(os::read_file(root + "/späť").value_or(""), "utf");
    EXPECT_EQ(os::read_file(root + "/" + std::string(150, 'n')).value_or("").size(), 2'000'000U);
    struct stat info {};
    ASSERT_EQ(stat((root + "/bin/tool").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 04755U);
    EXPECT_EQ(info.st_nlink, 2U);
    std::array<char, 8> value{};
    EXPECT_EQ(getxattr((root + "/bin/tool").c_str(), "user.note", value.data(), value.size()), 4);
    ASSERT_EQ(stat((root + "/owned").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 1234U);
    EXPECT_EQ(info.st_gid, 5678U);
  }

  void write(const store::ImageRecord& image, Result<std::unique_ptr<ImageTarget>> target,
             const ExportOptions& options = {}) {
    ASSERT_TRUE(target) << target.error().render();
    const auto done = export_image(image, options, **target, m_store, {});
    ASSERT_TRUE(done) << done.error().render();
    ASSERT_TRUE((*target)->finish());
  }
  store::ImageRecord read(const std::string& place, const std::string& name = "") {
    const auto opened = ImageFile::open(place, m_store);
    if (!opened) {
      ADD_FAILURE() << opened.error().render();
      return {};
    }
    auto record = import_image(**opened->source(name), {}, m_store, {});
    EXPECT_TRUE(record) << record.error().render();
    return record.value_or(store::ImageRecord());
  }
  static std::vector<Digest> contents(const store::ImageRecord& image) {
    std::vector<Digest> all;
    for (const auto& one : image.trees) {
      all.push_back(one.content);
    }
    return all;
  }
  static ExportOptions packed_with(oci::Compression compression) {
    ExportOptions options;
    options.compression = compression;
    return options;
  }
};

TEST_F(Interop, SkopeoCopiesWhatWeWriteAndWeReadItsCopy) {
  if (!has("skopeo")) {
    GTEST_SKIP() << "needs skopeo";
  }
  const auto image = sample();
  const std::string name = "docker.io/library/app:1";
  for (const auto compression : {oci::Compression::gzip, oci::Compression::zstd}) {
    const auto ours = path(fmt::format("ours{}", static_cast<int>(compression)));
    write(image, open_layout_directory(ours, {name}), packed_with(compression));
    write(image, open_layout_tar(ours + ".tar", {name}), packed_with(compression));
    run({"skopeo", "copy", "-q", "oci:" + ours + ":1", "oci:" + ours + "-copy:1"});
    EXPECT_EQ(contents(read(ours + "-copy")), contents(image));
    if (compression == oci::Compression::gzip) { // skopeo cannot turn zstd into docker's form
      run({"skopeo", "copy", "-q", "oci-archive:" + ours + ".tar:1", "docker-archive:" + ours + "-docker.tar:app:1"});
      EXPECT_EQ(contents(read(ours + "-docker.tar")), contents(image));
    }
    run({"skopeo", "copy", "-q", "oci:" + ours + ":1", "oci-archive:" + ours + "-oci.tar:1"});
    EXPECT_EQ(contents(read(ours + "-oci.tar")), contents(image));
  }
  write(image, open_docker_archive(path("docker.tar"), {name}), packed_with(oci::Compression::none));
  EXPECT_THAT(run({"skopeo", "inspect", "docker-archive:" + path("docker.tar")}), HasSubstr("\"Os\": \"linux\""));
  run({"skopeo", "copy", "-q", "docker-archive:" + path("docker.tar"), "oci:" + path("from-docker") + ":1"});
  EXPECT_EQ(contents(read(path("from-docker"))), contents(image));
}

TEST_F(Interop, AManifestOfSkopeoLeavesAsItCame) {
  if (!has("skopeo")) {
    GTEST_SKIP() << "needs skopeo";
  }
  write(sample(), open_layout_directory(path("ours"), {"app:1"}), packed_with(oci::Compression::none));
  // skopeo packs the layers and makes a manifest of its own.
  run({"skopeo", "copy", "-q", "oci:" + path("ours") + ":1", "oci:" + path("theirs") + ":1"});
  const auto theirs = run({"skopeo", "inspect", "--raw", "oci:" + path("theirs") + ":1"});
  write(read(path("theirs")), open_layout_directory(path("again"), {"app:1"}));
  EXPECT_EQ(run({"skopeo", "inspect", "--raw", "oci:" + path("again") + ":1"}), theirs);
}

TEST_F(Interop, UmociUnpacksWhatWeWriteAndWeReadWhatItAdds) {
  if (!has("umoci")) {
    GTEST_SKIP() << "needs umoci";
  }
  // This umoci knows no zstd.
  write(sample(), open_layout_directory(path("ours"), {"app:1"}), packed_with(oci::Compression::gzip));
  run({"umoci", "unpack", "--image", path("ours") + ":1", path("bundle")});
  expect_sample(path("bundle/rootfs"));
  ASSERT_TRUE(os::remove_all(path("bundle/rootfs/bin/same")));
  ASSERT_TRUE(os::write_file(path("bundle/rootfs/added"), "by umoci"));
  run({"umoci", "repack", "--image", path("ours") + ":2", path("bundle")});
  const auto record = read(path("ours"), "2");
  ASSERT_EQ(record.trees.size(), 3U);
  EXPECT_EQ(os::read_file(m_store.tree_path(record.trees[2]) + "/added").value_or(""), "by umoci");
  struct stat info {};
  ASSERT_EQ(lstat((m_store.tree_path(record.trees[2]) + "/bin/same").c_str(), &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

TEST_F(Interop, PodmanLoadsWhatWeWriteAndWeReadWhatItSaves) {
  if (!has("podman")) {
    GTEST_SKIP() << "needs podman";
  }
  const auto image = sample();
  const std::string name = "docker.io/library/app:1";
  write(image, open_docker_archive(path("docker.tar"), {name}), packed_with(oci::Compression::none));
  write(image, open_layout_tar(path("oci.tar"), {name}), packed_with(oci::Compression::zstd));
  for (const auto* archive : {"docker.tar", "oci.tar"}) {
    const std::vector<std::string> podman = {"podman",       "--root",           path("pod"), "--runroot",
                                             path("podrun"), "--storage-driver", "vfs"};
    const auto with = [&](std::vector<std::string> rest) {
      rest.insert(rest.begin(), podman.begin(), podman.end());
      return rest;
    };
    EXPECT_THAT(run(with({"load", "-q", "-i", path(archive)})), HasSubstr("Loaded image")) << archive;
    const auto id = run(with({"images", "-q", "--no-trunc"}));
    const auto root = run(with({"image", "mount", id.substr(0, id.find('\n'))}));
    expect_sample(root.substr(0, root.find('\n')));
    for (const std::string format : {"docker-archive", "oci-archive"}) {
      if (format == "docker-archive" && std::string(archive) == "oci.tar") {
        continue; // podman cannot turn zstd into docker's form
      }
      const auto saved = path(fmt::format("{}-{}", archive, format));
      run(with({"save", "-q", "--format", format, "-o", saved, id.substr(0, id.find('\n'))}));
      EXPECT_EQ(contents(read(saved)), contents(image)) << saved;
    }
    run(with({"rmi", "-a", "-f"}));
  }
}

TEST_F(Interop, WeReadWhatBuildahBuilds) {
  if (!has("buildah")) {
    GTEST_SKIP() << "needs buildah";
  }
  const std::vector<std::string> buildah = {"buildah",      "--root",           path("bah"), "--runroot",
                                            path("bahrun"), "--storage-driver", "vfs"};
  const auto with = [&](std::vector<std::string> rest) {
    rest.insert(rest.begin(), buildah.begin(), buildah.end());
    return rest;
  };
  ASSERT_TRUE(os::write_file(path("hello"), "world"));
  auto container = run(with({"from", "scratch"}));
  container = container.substr(0, container.find('\n'));
  run(with({"copy", container, path("hello"), "/deep/hello"}));
  run(with({"config", "--cmd", "run", "--env", "A=1", container}));
  for (const auto* format : {"oci", "docker"}) {
    run(with({"commit", "-q", "-f", format, container, fmt::format("{}:{}:1", "oci", path(format))}));
    const auto record = read(path(format));
    ASSERT_EQ(record.trees.size(), 1U);
    EXPECT_EQ(os::read_file(m_store.tree_path(record.trees[0]) + "/deep/hello").value_or(""), "world");
    EXPECT_EQ(oci::variable(record.image.config, "A"), "1");
  }
}

} // namespace
} // namespace sheaf::image
