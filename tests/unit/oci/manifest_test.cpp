// SPDX-License-Identifier: Apache-2.0
#include "oci/manifest.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::oci {
namespace {

using testing::HasSubstr;

const std::string k_digest = "sha256:" + std::string(64, 'a');
const std::string k_descriptor =
    fmt::format(R"({{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":7}})", k_digest);

Descriptor descriptor(const std::string& content) {
  return {"application/x", Digest::of(content), content.size(), std::nullopt, {}, {}};
}

Manifest full_manifest() {
  Manifest manifest;
  manifest.media_type = media_type::k_manifest;
  manifest.artifact_type = "application/example";
  manifest.config = descriptor("config");
  manifest.layers = {descriptor("a"), descriptor("bb")};
  manifest.layers[1].annotations = {{"k", "v"}};
  manifest.layers[1].artifact_type = "t";
  manifest.subject = descriptor("subject");
  manifest.annotations = {{"b", "2"}, {"a", "1"}};
  return manifest;
}

Descriptor for_platform(Platform platform) {
  auto entry = descriptor(platform.to_string() + platform.os_version);
  entry.platform = std::move(platform);
  return entry;
}

TEST(Manifest, IsReadAsItWasWritten) {
  const auto read = parse_manifest(serialise(full_manifest()), media_type::k_manifest);
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(std::get<Manifest>(*read), full_manifest());
}

TEST(Manifest, AnIndexIsReadAsItWasWritten) {
  Index index;
  index.media_type = media_type::k_docker_list;
  index.manifests = {for_platform({"linux", "arm", "v7", ""}), for_platform({"windows", "amd64", "", "10.0"}),
                     descriptor("no platform")};
  index.annotations = {{"a", "1"}};
  const auto read = parse_manifest(serialise(index));
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(std::get<Index>(*read), index);
}

TEST(Manifest, IsWrittenAsTheSpecHasIt) {
  Manifest manifest;
  manifest.config = descriptor("");
  EXPECT_EQ(serialise(manifest),
            fmt::format(R"({{"config":{{"digest":"{}","mediaType":"application/x","size":0}},"layers":[],)"
                        R"("mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}})",
                        Digest::of("").to_string()));
}

TEST(Manifest, TakesTheTypeFromTheServerWhereTheTextSaysNone) {
  const auto text = fmt::format(R"({{"schemaVersion":2,"config":{},"layers":null}})", k_descriptor);
  const auto read = parse_manifest(text, "application/vnd.docker.distribution.manifest.v2+json; charset=utf-8");
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(std::get<Manifest>(*read).media_type, media_type::k_docker_manifest);
  EXPECT_EQ(std::get<Manifest>(*parse_manifest(text)).media_type, media_type::k_manifest);
  // Web servers say this of every file.
  EXPECT_TRUE(parse_manifest(text, "application/json"));
}

TEST(Manifest, RefusesWhatIsWrong) {
  const auto with = [](const std::string& fields) { return R"({"schemaVersion":2,)" + fields + "}"; };
  const auto manifest = [&](const std::string& layer) {
    return with(fmt::format(R"("config":{},"layers":[{}])", k_descriptor, layer));
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "no schemaVersion 2"},
      {R"({"schemaVersion":"2"})", "no schemaVersion 2"},
      {with(R"("layers":[])"), "no 'config' or no 'layers'"},
      {with(R"("manifests":[],"layers":[])"), "is an index at the same time"},
      {with(R"("mediaType":7,"manifests":[])"), "'mediaType' is not a string"},
      {with(R"("mediaType":"application/vnd.oci.image.index.v1+json","config":{},"layers":[])"), "no 'manifests'"},
      {with(R"("manifests":{})"), "'manifests' is not a list"},
      {with(R"("manifests":[1])"), "'manifests[0]' is not a descriptor"},
      {manifest("{}"), "'layers[0].digest' is not a digest"},
      {manifest(R"({"digest":"sha256:1","size":1})"), "'layers[0].digest' is not a digest"},
      {manifest(fmt::format(R"({{"digest":"{}"}})", k_digest)), "'layers[0].size' is not a number of bytes"},
      {manifest(fmt::format(R"({{"digest":"{}","size":-1}})", k_digest)), "'layers[0].size' is not a number"},
      {manifest(fmt::format(R"({{"digest":"{}","size":18446744073709551615}})", k_digest)), "'layers[0].size' is not"},
      {manifest(fmt::format(R"({{"digest":"{}","size":1,"annotations":{{"a":1}}}})", k_digest)),
       "'layers[0].annotations.a' is not a string"},
      {manifest(fmt::format(R"({{"digest":"{}","size":1,"platform":"x"}})", k_digest)),
       "'layers[0].platform' is not an object"},
      {std::string((4U << 20U) + 1, ' '), "larger than 4 MiB"},
  };
  for (const auto& [text, message] : cases) {
    const auto read = parse_manifest(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::corrupt) << text;
    EXPECT_THAT(read.error().summary(), HasSubstr(message));
  }
}

TEST(Manifest, ServerAndTextMustAgree) {
  const auto read = parse_manifest(serialise(full_manifest()), media_type::k_index);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::corrupt);
}

TEST(Manifest, SaysWhatItDoesNotKnow) {
  for (const std::string text :
       {R"({"schemaVersion":1,"fsLayers":[]})", R"({"schemaVersion":2,"mediaType":"application/x","layers":[]})",
        R"({"schemaVersion":2,"manifests":[{"digest":"sha512:00","size":1}]})"}) {
    const auto read = parse_manifest(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::unsupported) << text;
  }
}

TEST(Manifest, KnowsLayersByTheirType) {
  for (const auto compression : {Compression::none, Compression::gzip, Compression::zstd}) {
    EXPECT_EQ(compression_of(layer_media_type(compression)), compression);
  }
  EXPECT_EQ(compression_of("application/vnd.docker.image.rootfs.diff.tar.gzip"), Compression::gzip);
  EXPECT_EQ(compression_of("application/vnd.docker.image.rootfs.diff.tar"), Compression::none);
  for (const auto* type :
       {"", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.in-toto+json",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "application/vnd.oci.empty.v1+json"}) {
    const auto known = compression_of(type);
    ASSERT_FALSE(known) << type;
    EXPECT_EQ(known.error().code(), ErrorCode::unsupported);
    EXPECT_FALSE(known.error().hint().empty());
  }
}

TEST(Manifest, ChoosesForAPlatform) {
  Index index;
  index.manifests = {for_platform({"unknown", "unknown", "", ""}), for_platform({"linux", "arm", "v5", ""}),
                     for_platform({"linux", "arm", "v6", ""}),     for_platform({"linux", "arm64", "v8", ""}),
                     for_platform({"linux", "amd64", "", "1"}),    for_platform({"linux", "amd64", "", "2"}),
                     for_platform({"linux", "amd64", "v3", ""})};
  const auto chosen = [&](const Platform& wanted) {
    const auto entry = choose(index, wanted);
    return entry ? entry->platform->to_string() + entry->platform->os_version : entry.error().hint();
  };
  EXPECT_EQ(chosen({"linux", "amd64", "", ""}), "linux/amd641");
  EXPECT_EQ(chosen({"linux", "amd64", "v2", ""}), "linux/amd641");
  EXPECT_EQ(chosen({"linux", "amd64", "v3", ""}), "linux/amd64/v3");
  EXPECT_EQ(chosen({"linux", "arm64", "", ""}), "linux/arm64/v8");
  EXPECT_EQ(chosen({"linux", "arm", "", ""}), "linux/arm/v6");
  EXPECT_EQ(chosen({"linux", "arm", "v5", ""}), "linux/arm/v5");
  const auto none = choose(index, {"linux", "s390x", "", ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::not_found);
  EXPECT_EQ(none.error().hint(), "there are images for linux/arm/v5, linux/arm/v6, linux/arm64/v8, linux/amd64, "
                                 "linux/amd64, linux/amd64/v3");
}

TEST(Manifest, AnEntryThatSaysNoPlatformServesIfNoneSaysTheRightOne) {
  Index index;
  index.manifests = {descriptor("any"), for_platform({"linux", "amd64", "", ""})};
  EXPECT_EQ(choose(index, {"linux", "arm64", "", ""})->digest, Digest::of("any"));
  EXPECT_EQ(choose(index, {"linux", "amd64", "", ""})->digest, Digest::of("linux/amd64"));
}

} // namespace
} // namespace sheaf::oci
