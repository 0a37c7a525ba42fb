// SPDX-License-Identifier: Apache-2.0
// Law 1: the key of a layer depends on its inputs, on all of them, and on nothing else.

#include "unit/plan/plan_support.hpp"

namespace sheaf::plan {
namespace {

Sources sample() {
  auto files = tool("ARG V=1\nENV A=1\nCOPY used /used\nCOPY folder /folder/\nRUN make\n",
                    "needs: [need]\nargs:\n  v: {default: '1'}\n");
  files["used"] = "1";
  files["folder/used"] = "1";
  files["unused"] = "1";
  files["folder.unused"] = "1";
  return {{"x", files}, {"need", tool("RUN need\n")}, {"sibling", tool("RUN sibling\n")}};
}

RecipeKey key_of(const Sources& sources, const ArgValues& args = {}) { return plan_of(sources, {"x"}, args).key("x"); }

/// The sample with `from` replaced by `to` in the Containerfile of x.
Sources with_instruction(const std::string& from, const std::string& to) {
  auto sources = sample();
  auto& text = sources["x"]["Containerfile"];
  text.replace(text.find(from), from.size(), to);
  return sources;
}

TEST(RecipeKey, IsTheSameForTheSameInputs) { EXPECT_EQ(key_of(sample()), key_of(sample())); }

TEST(RecipeKey, DependsOnEveryInstruction) {
  const auto before = key_of(sample());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"RUN make\n", "RUN make all\n"},
                                                        {"RUN make\n", ""},
                                                        {"RUN make\n", "RUN [\"make\"]\n"},
                                                        {"RUN make\n", "USER dev\nRUN make\n"},
                                                        {"RUN make\n", "WORKDIR /w\nRUN make\n"},
                                                        {"ENV A=1", "ENV A=2"},
                                                        {"ENV A=1", "ENV B=1"},
                                                        {"/used\n", "/other\n"},
                                                        {"COPY used", "COPY --chmod=600 used"},
                                                        {"COPY used", "COPY --chown=1 used"},
                                                        {"ENV A=1", "ENV A=1\nLABEL a=b"}}) {
    EXPECT_NE(key_of(with_instruction(from, to)), before) << to;
  }
}

TEST(RecipeKey, TellsCommandFromEntrypoint) {
  EXPECT_NE(plan_of({{"x", project("CMD [\"a\"]\n")}}, {"x"}).key("x"),
            plan_of({{"x", project("ENTRYPOINT [\"a\"]\n")}}, {"x"}).key("x"));
}

/// With no RUN that sees the variable, only the configuration tells the two apart.
TEST(RecipeKey, TellsAVariableFromALabel) {
  EXPECT_NE(plan_of({{"x", tool("ENV A=1\n")}}, {"x"}).key("x"), plan_of({{"x", tool("LABEL A=1\n")}}, {"x"}).key("x"));
}

TEST(RecipeKey, TellsALineBreakInAValueFromAnotherVariable) {
  const std::string yml = "args:\n  a: {}\n  b: {}\n";
  const Sources sources = {{"x", tool("ARG A\nARG B\nRUN x\n", yml)}};
  EXPECT_NE(key_of(sources, {{"x", {{"a", "1\nB=2"}}}}), key_of(sources, {{"x", {{"a", "1"}, {"b", "2"}}}}));
}

TEST(RecipeKey, DependsOnFilesThatAreCopied) {
  const auto before = key_of(sample());
  for (const auto* name : {"used", "folder/used", "folder/new"}) {
    auto sources = sample();
    sources["x"][name] = "2";
    EXPECT_NE(key_of(sources), before) << name;
  }
}

TEST(RecipeKey, DoesNotDependOnFilesThatAreNot) {
  auto sources = sample();
  sources["x"]["unused"] = "2";
  sources["x"]["folder.unused"] = "2";
  sources["x"]["new"] = "2";
  EXPECT_EQ(key_of(sources), key_of(sample()));
}

TEST(RecipeKey, DependsOnFilesThatAPatternOrAMountNames) {
  for (const auto* instruction : {"COPY us*d /used\n", "RUN --mount=type=bind,source=used,target=/x make\n"}) {
    auto sources = with_instruction("COPY used /used\n", instruction);
    const auto before = key_of(sources);
    sources["x"]["used"] = "2";
    EXPECT_NE(key_of(sources), before) << instruction;
    sources["x"]["unused"] = "2";
    const auto with_other = key_of(sources);
    sources["x"]["unused"] = "3";
    EXPECT_EQ(key_of(sources), with_other) << instruction;
  }
}

TEST(RecipeKey, DependsOnArguments) {
  EXPECT_NE(key_of(sample(), {{"x", {{"v", "2"}}}}), key_of(sample()));
  EXPECT_EQ(key_of(sample(), {{"x", {{"v", "1"}}}}), key_of(sample()));
  EXPECT_EQ(key_of(sample(), {{"need", {{"v", "2"}}}}), key_of(sample()));
}

TEST(RecipeKey, DependsOnTheContentOfWhatItNeeds) {
  const auto planned = plan_of(sample(), {"x"});
  EXPECT_NE(planned.key("x", {{"need", "other"}}), planned.key("x"));
  EXPECT_NE(planned.key("x", {{"base", "other"}}), planned.key("x"));
}

TEST(RecipeKey, ARecipeOfANeedMattersOnlyByItsContent) {
  auto sources = sample();
  sources["need"] = tool("RUN need in another way\n");
  EXPECT_EQ(key_of(sources), key_of(sample()));
}

TEST(RecipeKey, DoesNotDependOnSiblingsOrTheirOrder) {
  const auto alone = plan_of(sample(), {"x"}).key("x");
  EXPECT_EQ(plan_of(sample(), {"x", "sibling"}).key("x"), alone);
  EXPECT_EQ(plan_of(sample(), {"sibling", "need", "x"}).key("x"), alone);
}

TEST(RecipeKey, DoesNotDependOnTextWithoutMeaning) {
  auto sources = with_instruction("RUN make", "# a comment\n\nRUN make");
  sources["x"]["layer.yml"] += "tests: [{command: 'true'}]\n";
  EXPECT_EQ(key_of(sources), key_of(sample()));
}

TEST(RecipeKey, OfABaseDependsOnItsBootstrap) {
  auto sources = sample();
  sources["base"] = base_layer();
  sources["base"]["layer.yml"] = "summary: s\nkind: base\nbootstrap:\n  suite: trixie\n";
  EXPECT_NE(plan_of(sources, {"x"}).key("base"), plan_of(sample(), {"x"}).key("base"));
}

} // namespace
} // namespace sheaf::plan
