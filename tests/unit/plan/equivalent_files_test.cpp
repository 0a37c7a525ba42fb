// SPDX-License-Identifier: Apache-2.0
#include "plan/equivalent_files.hpp"
#include "plan/equivalent_stage.hpp"

#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace sheaf::plan {
namespace {

using testing::HasSubstr;
using testing::Not;

const EquivalentNames k_names = {"debian:bookworm", "sheaf-l0:base", "sheaf-l1-cli:base"};

std::map<std::string, std::string> files_of(const Planned& planned,
                                            const std::map<std::string, std::string>& environment = {}) {
  EXPECT_EQ(planned.mistakes, "");
  auto files = equivalent_files(planned.plans, k_names, environment);
  EXPECT_TRUE(files) << files.error().message();
  return files.value_or(std::map<std::string, std::string>());
}

std::string tools_of(const Planned& planned) { return files_of(planned).at("L1.cli.Dockerfile"); }

TEST(EquivalentFiles, OneStagePerLayerEachOnTheOneBefore) {
  const auto text = tools_of(plan_of({{"a", tool("RUN a\n")}, {"b", tool("RUN b\n")}}, {"a", "b"}));
  EXPECT_THAT(text, HasSubstr("ARG BASE_IMAGE=sheaf-l0:base\n"));
  EXPECT_THAT(text, HasSubstr("FROM ${BASE_IMAGE} AS layer-a\n"));
  EXPECT_THAT(text, HasSubstr("FROM layer-a AS layer-b\nRUN b\n"));
}

TEST(EquivalentFiles, UserAndDirectoryAreSaidAgainWhereTheLayerBeforeLeftOthers) {
  const auto text =
      tools_of(plan_of({{"a", tool("USER nobody\nWORKDIR /srv\nRUN a\n")}, {"b", tool("RUN b\n")}}, {"a", "b"}));
  EXPECT_THAT(text, HasSubstr("USER nobody\nWORKDIR /srv\nRUN a\n"));
  EXPECT_THAT(text, HasSubstr("AS layer-b\nUSER root\nWORKDIR /\nRUN b\n"));
}

TEST(EquivalentFiles, ArgumentsStayInTheirStageAndVariablesDoNot) {
  const auto text = tools_of(
      plan_of({{"a", tool("ARG VERSION=\"1 $\"\nENV A=x\\ \\\"y PATH=/opt/a:$PATH\nRUN a\n")}, {"b", tool("RUN b\n")}},
              {"a", "b"}));
  EXPECT_THAT(text, HasSubstr("ARG VERSION=\"1 \\$\"\n"));
  EXPECT_THAT(text, HasSubstr("ENV A=\"x \\\"y\"\n"));
  EXPECT_THAT(text, HasSubstr("ENV PATH=\"/opt/a:/usr/local/sbin:"));
  const auto second = text.substr(text.find("AS layer-b"));
  EXPECT_THAT(second, Not(HasSubstr("ENV PATH"))) << "what a layer does not see it does not take back either";
  EXPECT_THAT(second, Not(HasSubstr("ARG")));
}

TEST(EquivalentFiles, PackageListsAreFetchedOncePerFile) {
  const auto planned =
      plan_of({{"a", tool("RUN apt-get install -y a\n")}, {"b", tool("RUN apt-get install -y b\n")}}, {"a", "b"});
  const auto text = tools_of(planned);
  EXPECT_EQ(text.find("RUN apt-get update"), text.rfind("RUN apt-get update"));
  EXPECT_THAT(text, HasSubstr("\nRUN rm -rf /var/lib/apt/lists/*\n"));
  EXPECT_THAT(tools_of(plan_of({{"a", tool("RUN true\n")}}, {"a"})), Not(HasSubstr("apt-get")));
}

TEST(EquivalentFiles, FilesAreCopiedFromTheLayersOwnFolder) {
  auto a = tool("COPY --chown=1:2 --chmod=700 script conf/*.ini /etc/\nCOPY <<END /text\n$HOME\nEND\n");
  a["script"] = "#!/bin/sh\n";
  a["conf/x.ini"] = "x";
  a["other"] = "not copied";
  const auto files = files_of(plan_of({{"a", a}}, {"a"}));
  EXPECT_THAT(files.at("L1.cli.Dockerfile"),
              HasSubstr("COPY --chown=1:2 --chmod=700 layers/a/script layers/a/conf/*.ini /etc/\n"));
  EXPECT_EQ(files.at("layers/a/script"), "#!/bin/sh\n");
  EXPECT_TRUE(files.contains("layers/a/conf/x.ini"));
  EXPECT_FALSE(files.contains("layers/a/other"));
  EXPECT_TRUE(files.contains("layers/a/.sheaf/1/text") || files.contains("layers/a/.sheaf/1/END"));
}

TEST(EquivalentFiles, WhatIsFetchedIsChecked) {
  const std::string digest(64, 'a');
  auto a = tool("FETCH --checksum=sha256:" + digest + " https://e.org/t.tgz /opt/t.tgz\n");
  a["Containerfile"].insert(0, "# sheaf: extensions\n");
  const auto text = tools_of(plan_of({{"a", a}}, {"a"}));
  EXPECT_THAT(text, HasSubstr("ADD [\"https://e.org/t.tgz\",\"/.sheaf-download/t.tgz\"]\n"));
  EXPECT_THAT(text, HasSubstr(digest + "  /.sheaf-download/t.tgz"));
  EXPECT_THAT(text, HasSubstr("sha256sum -c -"));
  EXPECT_THAT(text, Not(HasSubstr("FETCH")));
}

TEST(EquivalentFiles, CommandsAreSaidSoThatNothingIsReadIntoThem) {
  EXPECT_EQ(run_text({"/bin/sh", "-c", "make all"}, ""), "RUN make all\n");
  EXPECT_EQ(run_text({"/bin/sh", "-c", "a\nb"}, ""), "RUN [\"/bin/sh\",\"-c\",\"a\\nb\"]\n");
  EXPECT_EQ(run_text({"/bin/sh", "-c", "[ -e x ]"}, ""), "RUN [\"/bin/sh\",\"-c\",\"[ -e x ]\"]\n");
  EXPECT_EQ(run_text({"/bin/sh", "-c", "cat <<E"}, ""), "RUN [\"/bin/sh\",\"-c\",\"cat <<E\"]\n");
  EXPECT_EQ(run_text({"make"}, "--network=none "), "RUN --network=none [\"make\"]\n");
  const std::string half(60, 'x');
  EXPECT_EQ(run_text({"/bin/sh", "-c", half + " && " + half + " && #" + half}, ""),
            "RUN " + half + " && \\\n" + half + " && #" + half + "\n");
  EXPECT_EQ(run_text({"/bin/sh", "-c", half + "     " + half + " &&     b"}, ""),
            "RUN " + half + " \\\n    " + half + " && \\\n    b\n");
}

TEST(EquivalentFiles, TheLastFileHasTheProject) {
  const auto planned =
      plan_of({{"a", tool("RUN a\n")}, {"p", project("RUN p\nUSER dev\nCMD [\"p\"]\n", "needs: [a]\n")}}, {"p"});
  const auto files = files_of(planned, {{"CODE_REPO", "https://e.org/$x"}});
  const auto& text = files.at("L2.Dockerfile");
  EXPECT_THAT(text, HasSubstr("FROM ${BASE_IMAGE} AS layer-p\n"));
  EXPECT_THAT(text, HasSubstr("ENV CODE_REPO=\"https://e.org/\\$x\"\nUSER dev\nWORKDIR /workspace\n"));
  EXPECT_THAT(text, HasSubstr("CMD [\"p\"]\n"));
  EXPECT_THAT(files.at("L1.cli.Dockerfile"), Not(HasSubstr("layer-p")));
  EXPECT_THAT(files.at("L0.Dockerfile"), HasSubstr("ARG BASE_IMAGE=debian:bookworm\n"));
}

TEST(EquivalentFiles, WhatNotEveryBuilderKnowsIsAnError) {
  auto a = tool("COPY --parents x/y /\n");
  a["x/y"] = "";
  const auto planned = plan_of({{"a", a}}, {"a"});
  const auto files = equivalent_files(planned.plans, k_names, {});
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().code(), ErrorCode::unsupported);
  EXPECT_THAT(files.error().message(), HasSubstr("layer 'a', line 3: COPY --parents"));
  const auto ours = plan_of({}, {});
  EXPECT_FALSE(equivalent_files(ours.plans, k_names, {{"A", "two\nlines"}}));
}

} // namespace
} // namespace sheaf::plan
