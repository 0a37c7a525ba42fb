// SPDX-License-Identifier: Apache-2.0
#include "image/device_list.hpp"
#include "image/docker_archive_source.hpp"
#include "image/image_file.hpp"
#include "image/layout_index.hpp"

#include <gmock/gmock.h>

#include "unit/image/image_support.hpp"

namespace sheaf::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ImageFileTest : public WithStore {
protected:
  void put(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(os::make_directories(path("dir")));
    ASSERT_TRUE(os::write_file(path("dir/" + name), content));
  }
  Error failure(const std::string& place, const std::string& name = "") {
    const auto opened = ImageFile::open(place, m_store);
    if (!opened) {
      return opened.error();
    }
    const auto source = opened->source(name);
    EXPECT_FALSE(source);
    return source ? Error(ErrorCode::internal, "") : source.error();
  }
};

TEST_F(ImageFileTest, SaysWhatIsThere) {
  const auto image = this->image(m_store);
  const auto target = open_layout_directory(path("layout"), {"docker.io/library/app:1", "me.example/x:2"}).value();
  ASSERT_TRUE(export_image(image, {}, *target, m_store, {}));
  ASSERT_TRUE(target->finish());
  const auto file = ImageFile::open(path("layout"), m_store).value();
  ASSERT_EQ(file.entries().size(), 2U);
  EXPECT_THAT(file.entries()[0].names, ElementsAre("docker.io/library/app:1"));
  EXPECT_THAT(file.entries()[1].names, ElementsAre("me.example/x:2"));
  EXPECT_TRUE(file.source("2"));
  EXPECT_TRUE(file.source("me.example/x:2"));
  const auto several = failure(path("layout"));
  EXPECT_EQ(several.code(), ErrorCode::invalid);
  EXPECT_THAT(several.hint(), HasSubstr("docker.io/library/app:1, me.example/x:2"));
  const auto none = failure(path("layout"), "3");
  EXPECT_EQ(none.code(), ErrorCode::not_found);
  EXPECT_THAT(none.hint(), HasSubstr("me.example/x:2"));
}

TEST_F(ImageFileTest, RefusesWhatHoldsNoImage) {
  EXPECT_EQ(failure(path("nothing")).code(), ErrorCode::not_found);
  put("README", "x");
  EXPECT_THAT(failure(path("dir")).summary(), HasSubstr("holds no image"));
  EXPECT_EQ(failure(path("dir/README")).code(), ErrorCode::invalid);
  ASSERT_TRUE(os::write_file(path("root.tar"), archive::tar({archive::file("bin/sh")})));
  EXPECT_THAT(failure(path("root.tar")).summary(), HasSubstr("holds no image"));
}

TEST_F(ImageFileTest, RefusesBadIndexes) {
  for (const auto* text :
       {"", "[]", "{}", R"({"schemaVersion":2,"manifests":7})", R"({"schemaVersion":2,"config":{},"layers":[]})"}) {
    put("index.json", text);
    EXPECT_EQ(failure(path("dir")).code(), ErrorCode::corrupt) << text;
  }
  put("index.json", R"({"schemaVersion":2,"manifests":[]})");
  EXPECT_EQ(failure(path("dir")).code(), ErrorCode::not_found);
}

TEST_F(ImageFileTest, RefusesBadDockerArchives) {
  for (const auto* text : {"", "{}", "[1]", "[{}]", R"([{"Config":7}])", R"([{"Config":"c","Layers":"x"}])"}) {
    const auto parsed = parse_docker_archive(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::corrupt);
  }
  put("manifest.json", R"([{"Config":"c.json","RepoTags":null,"Layers":["missing.tar"]}])");
  put("c.json", "{}");
  EXPECT_THAT(failure(path("dir")).summary(), HasSubstr("reading 'missing.tar'"));
}

/// Names in an archive lead to files of the archive only.
TEST_F(ImageFileTest, NamesDoNotLeadOut) {
  ASSERT_TRUE(os::write_file(path("secret"), "[]"));
  put("manifest.json", R"([{"Config":"../secret","Layers":[]}])");
  EXPECT_EQ(failure(path("dir")).code(), ErrorCode::not_found);
  ASSERT_TRUE(os::remove_all(path("dir/manifest.json")));
  ASSERT_EQ(symlink(path("secret").c_str(), path("dir/manifest.json").c_str()), 0);
  EXPECT_FALSE(ImageFile::open(path("dir"), m_store));
}

TEST_F(ImageFileTest, PlacesAreSplit) {
  ASSERT_TRUE(os::write_file(path("a:b"), ""));
  EXPECT_EQ(split_place(path("a:b")).name, "");
  EXPECT_EQ(split_place(path("x:1")).path, path("x"));
  EXPECT_EQ(split_place(path("x:1")).name, "1");
  EXPECT_EQ(split_place(path("x@sha256:00")).name, "sha256:00");
}

TEST(LayoutIndex, NamesAreTagsAndFullNames) {
  EXPECT_EQ(tag_of("docker.io/library/app:1"), "1");
  EXPECT_EQ(tag_of("host:5000/app"), "host:5000/app");
  oci::Descriptor one;
  one.digest = Digest::of("1");
  oci::Index index;
  add_named(index, one, {"a:1", "b:1"});
  add_named(index, one, {});
  add_named(index, one, {});
  ASSERT_EQ(index.manifests.size(), 3U);
  EXPECT_EQ(index.manifests[0].annotations.at("org.opencontainers.image.ref.name"), "1");
  EXPECT_THAT(names_of(index.manifests[1]), ElementsAre("b:1"));
}

TEST(DeviceList, ComesBack) {
  auto device = archive::entry(archive::EntryType::block_device, "dev/\xff\n");
  device.device_major = 8;
  device.device_minor = 1;
  device.mtime = -3;
  const auto read = parse_devices(serialise({device})).value();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].path, device.path);
  EXPECT_EQ(read[0].type, device.type);
  EXPECT_EQ(read[0].device_major, 8U);
  EXPECT_EQ(read[0].mtime, -3);
  EXPECT_FALSE(parse_devices("{}"));
}

} // namespace
} // namespace sheaf::image
