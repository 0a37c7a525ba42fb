// SPDX-License-Identifier: Apache-2.0
#include "oci/image_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// All fields set, each to something of its own.
Image full_image() {
  Image image;
  image.os = "linux";
  image.architecture = "arm";
  image.variant = "v7";
  image.author = "me";
  image.config.user = "dev:dev";
  image.config.exposed_ports = {"53/udp", "80/tcp"};
  image.config.environment = {{"PATH", "/bin"}, {"A", "x=y"}, {"EMPTY", ""}};
  image.config.entrypoint = {"e", "1"};
  image.config.command = {"c"};
  image.config.volumes = {"/data"};
  image.config.directory = "/w";
  image.config.labels = {{"l", "1"}};
  image.config.stop_signal = "SIGINT";
  image.config.healthcheck = Healthcheck{{"CMD-SHELL", "x"}, 1, 2, 3, 4, 5};
  image.config.shell = {"/bin/bash", "-c"};
  image.config.on_build = {"RUN x"};
  image.history = {{"RUN x", "sheaf", false}, {"ENV A=1", "", true}};
  return image;
}

TEST(ImageConfig, IsReadAsItWasWritten) {
  for (const auto& image : {Image(), full_image()}) {
    const auto read = parse_image(serialise(image));
    ASSERT_TRUE(read) << read.error().render();
    EXPECT_EQ(*read, image);
  }
}

TEST(ImageConfig, IsWrittenAsTheSpecHasIt) {
  const auto text = serialise(full_image());
  for (
      const auto* part :
      {R"("ExposedPorts":{"53/udp":{},"80/tcp":{}})", R"("Volumes":{"/data":{}})",
       R"("Env":["PATH=/bin","A=x=y","EMPTY="])", R"("Entrypoint":["e","1"])", R"("Cmd":["c"])", R"("WorkingDir":"/w")",
       R"("OnBuild":["RUN x"])", R"("StopSignal":"SIGINT")", R"("Shell":["/bin/bash","-c"])", R"("Labels":{"l":"1"})",
       R"("User":"dev:dev")",
       R"("Healthcheck":{"Interval":1,"Retries":5,"StartInterval":4,"StartPeriod":3,"Test":["CMD-SHELL","x"],"Timeout":2})",
       R"({"comment":"sheaf","created_by":"RUN x"})", R"({"created_by":"ENV A=1","empty_layer":true})",
       R"("variant":"v7")", R"("author":"me")"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(ImageConfig, LeavesOutWhatIsEmpty) {
  Image image;
  image.architecture = "amd64";
  EXPECT_EQ(serialise(image), R"({"architecture":"amd64","config":{},"history":[],"os":"linux"})");
}

/// The shape that `docker image save` has, with the fields of old that are null or not ours.
TEST(ImageConfig, ReadsDockers) {
  const auto image = parse_image(R"({"architecture":"amd64","config":{"Hostname":"","AttachStdin":false,"User":"",
    "Env":["PATH=/usr/bin","A"],"Cmd":["sh"],"Image":"sha256:0","Volumes":null,"WorkingDir":"","Entrypoint":null,
    "OnBuild":null,"Labels":null,"ArgsEscaped":true,"ExposedPorts":{"80/tcp":{}},
    "Healthcheck":{"Test":["CMD","x"],"Interval":30000000000,"Retries":3}},
    "container_config":{"Cmd":7},"created":"2024-01-01T00:00:00Z","docker_version":"20.10","id":"x",
    "history":[{"created":"2024-01-01T00:00:00Z","created_by":"/bin/sh -c #(nop) CMD","empty_layer":true}],
    "os":"linux","rootfs":{"type":"layers","diff_ids":[]}})");
  ASSERT_TRUE(image) << image.error().render();
  EXPECT_THAT(image->config.environment, ElementsAre(Pair("PATH", "/usr/bin"), Pair("A", "")));
  EXPECT_EQ(image->config.entrypoint, std::nullopt);
  EXPECT_THAT(image->config.command.value(), ElementsAre("sh"));
  EXPECT_THAT(image->config.volumes, IsEmpty());
  EXPECT_THAT(image->config.exposed_ports, ElementsAre("80/tcp"));
  EXPECT_EQ(image->config.healthcheck->interval, 30'000'000'000);
  EXPECT_EQ(image->config.healthcheck->retries, 3);
  EXPECT_TRUE(image->history.at(0).empty_layer);
}

/// buildah writes an OCI configuration: no Healthcheck, no Shell, a comment that names the base.
TEST(ImageConfig, ReadsBuildahs) {
  const auto image =
      parse_image(R"({"created":"2024-01-01T00:00:00Z","architecture":"arm64","variant":"v8","os":"linux",
    "config":{"User":"1000","Env":["PATH=/usr/bin"],"Cmd":["/bin/sh"],"WorkingDir":"/w","StopSignal":"SIGTERM",
    "Labels":{"io.buildah.version":"1.33"}},"rootfs":{"type":"layers","diff_ids":["sha256:0"]},
    "history":[{"created_by":"/bin/sh -c x","comment":"FROM docker.io/library/alpine:latest"}]})");
  ASSERT_TRUE(image) << image.error().render();
  EXPECT_EQ(image->variant, "v8");
  EXPECT_EQ(image->config.stop_signal, "SIGTERM");
  EXPECT_THAT(image->config.labels, ElementsAre(Pair("io.buildah.version", "1.33")));
  EXPECT_EQ(image->history.at(0).comment, "FROM docker.io/library/alpine:latest");
}

TEST(ImageConfig, AnEmptyListSaysNoMoreThanNone) {
  const auto image = parse_image(R"({"os":"linux","architecture":"a","config":{"Cmd":[],"Entrypoint":[]}})");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->config.command, std::nullopt);
  EXPECT_EQ(image->config.entrypoint, std::nullopt);
}

TEST(ImageConfig, NamesTheFieldThatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("config":{"User":1})", "'config.User' is not a string"},
      {R"("config":{"Env":["A=1",2]})", "'config.Env[1]' is not a string"},
      {R"("config":{"Env":{}})", "'config.Env' is not a list of strings"},
      {R"("config":{"Volumes":["/x"]})", "'config.Volumes' is not an object"},
      {R"("config":{"ExposedPorts":{"80/tcp":1}})", "'config.ExposedPorts.80/tcp' is not an object"},
      {R"("config":{"Labels":{"a":null}})", "'config.Labels.a' is not a string"},
      {R"("config":{"Labels":[]})", "'config.Labels' is not an object"},
      {R"("config":{"Healthcheck":[]})", "'config.Healthcheck' is not an object"},
      {R"("config":{"Healthcheck":{"Interval":"1s"}})", "'config.Healthcheck.Interval' is not a whole number"},
      {R"("config":{"Healthcheck":{"Timeout":18446744073709551615}})", "'config.Healthcheck.Timeout' is not"},
      {R"("config":{"Healthcheck":{"Retries":9999999999}})", "'config.Healthcheck.Retries' is not a number"},
      {R"("config":7)", "'config' is not an object"},
      {R"("history":{})", "'history' is not a list"},
      {R"("history":[1])", "'history[0]' is not an object"},
      {R"("history":[{},{"empty_layer":1}])", "'history[1].empty_layer' is not true or false"},
  };
  for (const auto& [field, message] : cases) {
    const auto image = parse_image(R"({"os":"linux","architecture":"amd64",)" + field + "}");
    ASSERT_FALSE(image) << field;
    EXPECT_EQ(image.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(image.error().summary(), HasSubstr(message));
  }
}

TEST(ImageConfig, RefusesWhatIsNone) {
  for (const auto& [text, message] :
       std::vector<std::pair<std::string, std::string>>{{"", "is not JSON"},
                                                        {"{", "is not JSON"},
                                                        {"[]", "is not a JSON object"},
                                                        {"{}", "has no 'os'"},
                                                        {R"({"os":"linux"})", "has no 'architecture'"}}) {
    const auto image = parse_image(text);
    ASSERT_FALSE(image) << text;
    EXPECT_EQ(image.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(image.error().summary(), HasSubstr(message));
  }
}

TEST(ImageConfig, AVariableKeepsItsPlace) {
  ImageConfig config;
  set_variable(config, "A", "1");
  set_variable(config, "B", "2");
  set_variable(config, "A", "3");
  EXPECT_THAT(config.environment, ElementsAre(Pair("A", "3"), Pair("B", "2")));
  EXPECT_EQ(variable(config, "B"), "2");
  EXPECT_EQ(variable(config, "C"), std::nullopt);
}

} // namespace
} // namespace sheaf::oci
