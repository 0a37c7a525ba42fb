// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "cli/parser.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace sheaf::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using Words = std::vector<std::string>;

Words words_of(std::string_view path) {
  Words words;
  for (const auto word : split(path, ' ')) {
    words.emplace_back(word);
  }
  return words;
}

/// The words of `command` with as many operands as it needs.
Words complete(const Command& command) {
  auto words = words_of(command.path);
  words.insert(words.end(), command.operands.least, "x");
  return words;
}

Error mistake(const Words& words) {
  auto parsed = parse(words);
  EXPECT_FALSE(parsed) << joined(words, " ");
  return parsed ? Error(ErrorCode::internal, "") : std::move(parsed).error();
}

TEST(Parser, ReachesEveryCommand) {
  for (const auto& command : commands()) {
    const auto parsed = parse(complete(command));
    ASSERT_TRUE(parsed) << command.path << parsed.error().render();
    EXPECT_EQ(parsed->command, &command);
    EXPECT_THAT(parsed->options, IsEmpty());
    EXPECT_EQ(parsed->operands.size(), command.operands.least);
  }
}

TEST(Parser, TakesEveryOptionOfEveryCommandInEveryForm) {
  for (const auto& command : commands()) {
    for (const auto options : {command.options, common_options()}) {
      for (const auto& option : options) {
        std::vector<Words> forms = {{fmt::format("--{}", option.name)}};
        if (option.letter != 0) {
          forms.push_back({fmt::format("-{}", option.letter)});
        }
        if (!option.value.empty()) {
          for (auto& form : forms) {
            form.emplace_back("value");
          }
          forms.push_back({fmt::format("--{}=value", option.name)});
        }
        for (const auto& form : forms) {
          auto words = complete(command);
          words.insert(words.end(), form.begin(), form.end());
          const auto parsed = parse(words);
          ASSERT_TRUE(parsed) << joined(words, " ");
          EXPECT_THAT(parsed->options, ElementsAre(Pair(option.name, option.value.empty() ? "" : "value")))
              << joined(words, " ");
        }
      }
    }
  }
}

TEST(Parser, NoCommandHasAnOptionTwice) {
  for (const auto& command : commands()) {
    std::set<std::string> seen;
    for (const auto options : {command.options, common_options()}) {
      for (const auto& option : options) {
        EXPECT_TRUE(seen.insert(std::string(option.name)).second) << command.path << " --" << option.name;
        EXPECT_TRUE(option.letter == 0 || seen.insert(std::string(1, option.letter)).second)
            << command.path << " -" << option.letter;
      }
    }
  }
}

TEST(Parser, WhatStandsBehindTwoDashesIsTheUsers) {
  const auto parsed = parse({"up", "-q", "--", "make", "--json", "-C", "--", "x"}).value();
  EXPECT_THAT(parsed.operands, ElementsAre("make", "--json", "-C", "--", "x"));
  EXPECT_THAT(parsed.options, ElementsAre(Pair("quiet", "")));
}

TEST(Parser, OptionsMayFollowOperands) {
  const auto parsed = parse({"run", "codex", "-C", "dir", "--", "ls"}).value();
  EXPECT_THAT(parsed.operands, ElementsAre("codex", "ls"));
  EXPECT_THAT(parsed.options, ElementsAre(Pair("directory", "dir")));
}

TEST(Parser, TheLastOfTwoValuesCounts) {
  EXPECT_EQ(parse({"up", "--base", "a", "--base=b"}).value().options.at("base"), "b");
}

TEST(Parser, ValuesMayBeEmptyOrOdd) {
  EXPECT_EQ(parse({"up", "--agents=all,-codex"}).value().options.at("agents"), "all,-codex");
  EXPECT_EQ(parse({"up", "--agents", "all,-codex"}).value().options.at("agents"), "all,-codex");
  EXPECT_EQ(parse({"up", "--agents=-codex,all"}).value().options.at("agents"), "-codex,all");
  EXPECT_EQ(parse({"up", "--base", "a=b"}).value().options.at("base"), "a=b");
  EXPECT_EQ(parse({"up", "--base", "[a,b]"}).value().options.at("base"), "[a,b]");
}

TEST(Parser, ASwitchMayBeSaidInFull) {
  EXPECT_TRUE(parse({"plan", "--json=true"})->options.contains("json"));
  EXPECT_FALSE(parse({"plan", "--json=false"})->options.contains("json"));
  EXPECT_EQ(mistake({"plan", "--json=perhaps"}).code(), ErrorCode::invalid);
}

TEST(Parser, HelpNeedsNoOperands) {
  for (const auto& command : commands()) {
    auto words = words_of(command.path);
    words.emplace_back("--help");
    const auto parsed = parse(words);
    ASSERT_TRUE(parsed) << command.path;
    EXPECT_TRUE(parsed->options.contains("help"));
    words.pop_back();
    words.insert(words.begin(), "help");
    EXPECT_EQ(parse(words).value().command, &command);
  }
  for (const auto& words : std::vector<Words>{{}, {"--help"}, {"-h"}, {"help"}}) {
    EXPECT_EQ(parse(words).value().command, nullptr);
  }
  EXPECT_EQ(parse({"--version"}).value().command, find_command("version"));
}

TEST(Parser, SuggestsCommands) {
  EXPECT_EQ(mistake({"biuld"}).code(), ErrorCode::invalid);
  EXPECT_THAT(mistake({"biuld"}).hint(), HasSubstr("'build'"));
  EXPECT_THAT(mistake({"layer", "lst"}).hint(), HasSubstr("'layer list'"));
  EXPECT_THAT(mistake({"layer", "lst"}).message(), HasSubstr("'layer lst'"));
  EXPECT_THAT(mistake({"layer"}).code(), ErrorCode::invalid);
  EXPECT_THAT(mistake({"qwertyuiop"}).hint(), HasSubstr("sheaf --help"));
  EXPECT_THAT(mistake({"help", "biuld"}).hint(), HasSubstr("'build'"));
}

TEST(Parser, SuggestsOptions) {
  EXPECT_EQ(mistake({"plan", "--jsno"}).code(), ErrorCode::invalid);
  EXPECT_THAT(mistake({"plan", "--jsno"}).message(), HasSubstr("'--jsno'"));
  EXPECT_THAT(mistake({"plan", "--jsno"}).hint(), HasSubstr("'--json'"));
  EXPECT_THAT(mistake({"plan", "--bse=x"}).hint(), HasSubstr("'--base'"));
  EXPECT_THAT(mistake({"plan", "-Z"}).code(), ErrorCode::invalid);
}

TEST(Parser, AnOptionThatMissesItsValueIsAMistake) {
  EXPECT_EQ(mistake({"up", "--base"}).code(), ErrorCode::invalid);
  EXPECT_THAT(mistake({"up", "--base"}).message(), HasSubstr("--base"));
}

TEST(Parser, CountsOperands) {
  for (const auto& command : commands()) {
    if (command.operands.least > 0) {
      const auto error = mistake(words_of(command.path));
      EXPECT_EQ(error.code(), ErrorCode::invalid) << command.path;
      EXPECT_THAT(error.message(), HasSubstr(std::string(command.operands.usage)));
    }
    if (command.operands.most < 100) {
      auto words = complete(command);
      words.insert(words.end(), command.operands.most - command.operands.least, "y");
      words.emplace_back("surplus");
      EXPECT_THAT(mistake(words).message(), HasSubstr("'surplus'")) << command.path;
    }
  }
}

} // namespace
} // namespace sheaf::cli
