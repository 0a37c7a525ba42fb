// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "cli/help.hpp"
#include "os/child.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace sheaf::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;

constexpr std::array k_codes = {ErrorCode::not_found, ErrorCode::denied,      ErrorCode::invalid,
                                ErrorCode::corrupt,   ErrorCode::busy,        ErrorCode::network,
                                ErrorCode::cancelled, ErrorCode::unsupported, ErrorCode::failed_step,
                                ErrorCode::conflict,  ErrorCode::no_space,    ErrorCode::internal};

TEST(ExitCode, EveryKindOfFailureHasItsOwn) {
  std::set<int> seen = {0, 1};
  for (const auto code : k_codes) {
    EXPECT_TRUE(seen.insert(exit_code(code)).second) << to_string(code);
    EXPECT_LT(exit_code(code), 256) << to_string(code);
  }
}

TEST(Help, TheProgramsNamesEveryCommand) {
  const auto text = program_help();
  for (const auto& command : commands()) {
    EXPECT_THAT(text, HasSubstr(std::string(command.path)));
    EXPECT_THAT(text, HasSubstr(std::string(command.summary)));
  }
}

TEST(Help, ACommandsNamesEveryOptionAndExample) {
  for (const auto& command : commands()) {
    const auto text = command_help(command);
    EXPECT_THAT(text, HasSubstr(fmt::format("usage: sheaf {}", command.path)));
    for (const auto options : {command.options, common_options()}) {
      for (const auto& option : options) {
        EXPECT_THAT(text, HasSubstr(fmt::format("--{}", option.name))) << command.path;
        EXPECT_THAT(text, HasSubstr(std::string(option.help))) << command.path;
      }
    }
    for (const auto example : command.examples) {
      EXPECT_THAT(text, HasSubstr(std::string(example))) << command.path;
    }
    EXPECT_FALSE(command.examples.empty()) << command.path;
  }
}

TEST(ManPage, NamesEveryCommandOptionAndExitCode) {
  auto text = man_page();
  std::string plain;
  for (const char c : text) {
    plain += c == '\\' ? std::string() : std::string(1, c);
  }
  for (const auto& command : commands()) {
    EXPECT_THAT(plain, HasSubstr(fmt::format(".SS sheaf {}", command.path)));
    for (const auto& option : command.options) {
      EXPECT_THAT(plain, HasSubstr(fmt::format("--{}", option.name)));
    }
  }
  for (const auto code : k_codes) {
    EXPECT_THAT(plain, HasSubstr(std::to_string(exit_code(code)))) << to_string(code);
  }
  EXPECT_TRUE(text.starts_with(".TH SHEAF 1"));
}

TEST(ManPage, NoTextLineLooksLikeARequest) {
  const std::set<std::string_view> known = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I",
                                            ".nf", ".fi", ".RS", ".RE", ".BR", ".IP"};
  const auto text = man_page();
  for (const auto line : lines_of(text)) {
    EXPECT_FALSE(line.starts_with('\'')) << line;
    if (line.starts_with('.')) {
      EXPECT_TRUE(known.contains(line.substr(0, line.find(' ')))) << line;
    }
  }
}

/// What `script` prints in bash.
std::string in_bash(const std::vector<std::string>& options, const std::string& script) {
  auto pipe = os::Pipe::create().value();
  const auto input = os::memory_file(script).value();
  os::SpawnOptions spawn;
  spawn.argv = {"bash"};
  spawn.argv.insert(spawn.argv.end(), options.begin(), options.end());
  spawn.descriptors = {{input.get(), 0}, {pipe.write.get(), 1}, {pipe.write.get(), 2}};
  auto child = os::Child::spawn(spawn).value();
  EXPECT_TRUE(pipe.write.close());
  auto output = os::read_all(pipe.read).value();
  EXPECT_TRUE(child.wait().value().ok()) << output;
  return output;
}

/// The completions of `line`, whose last word is the one being typed.
std::vector<std::string> completions(const std::string& line) {
  const auto output =
      in_bash({"--norc"}, completion_script("bash").value() + "COMP_WORDS=(" + line +
                              ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_sheaf\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  std::vector<std::string> words;
  for (const auto word : lines_of(output)) {
    words.emplace_back(word);
  }
  return words;
}

class BashCompletion : public testing::Test {
protected:
  void SetUp() override {
    if (!os::find_program("bash")) {
      GTEST_SKIP() << "bash is not installed";
    }
  }
};

TEST_F(BashCompletion, IsValidBash) { EXPECT_EQ(in_bash({"-n"}, completion_script("bash").value()), ""); }

TEST_F(BashCompletion, OffersCommandsAndTheirOptions) {
  EXPECT_THAT(completions("sheaf ''"), IsSupersetOf({"up", "layer", "build", "--help"}));
  EXPECT_THAT(completions("sheaf layer ''"), IsSupersetOf({"list", "show"}));
  EXPECT_THAT(completions("sheaf layer list --j"), testing::ElementsAre("--json"));
  EXPECT_THAT(completions("sheaf up --quiet --a"), testing::ElementsAre("--agents"));
}

TEST_F(BashCompletion, StillOffersOptionsBehindAnOperandOrAValue) {
  EXPECT_THAT(completions("sheaf run codex --a"), Contains("--agents"));
  EXPECT_THAT(completions("sheaf up -C dir --a"), Contains("--agents"));
}

TEST(Completion, EveryShellKnowsEveryCommand) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell).value();
    for (const auto& command : commands()) {
      for (const auto word : split(command.path, ' ')) {
        EXPECT_THAT(script, HasSubstr(std::string(word))) << shell;
      }
      for (const auto& option : command.options) {
        EXPECT_THAT(script, HasSubstr(std::string(option.name))) << shell;
      }
    }
  }
  EXPECT_EQ(completion_script("tcsh").error().code(), ErrorCode::invalid);
  EXPECT_THAT(completion_script("tcsh").error().hint(), HasSubstr("fish"));
}

} // namespace
} // namespace sheaf::cli
