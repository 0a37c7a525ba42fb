// SPDX-License-Identifier: Apache-2.0
// Walks good/, bad/ and lint/: each case is a Containerfile and what is expected of it, a dump of the checked
// instructions with the warnings, or the diagnostics, or the findings of the build checks. A lint case's base images
// are known to set PATH and VERSION, and its ignore file leaves out 'ignored' and '*.log'. SHEAF_ACCEPT=1 rewrites the
// expectations.
#include "containerfile/file.hpp"
#include "containerfile/lint.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sheaf::containerfile {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Prints a file with the position of every word.
class Dumper {
public:
  explicit Dumper(const File& file) : m_file(file) {}

  std::string dump() {
    for (const auto& directive : m_file.directives) {
      m_text += "directive " + directive.name + word("value", directive.value) + "\n";
    }
    for (const auto& arg : m_file.global_arguments) {
      m_text += "global ";
      (*this)(arg);
    }
    for (const auto& stage : m_file.stages) {
      m_text += head("stage", stage.from.origin) + word("image", stage.from.image) +
                word("platform", stage.from.platform) + word("alias", stage.from.alias) + "\n";
      for (const auto& instruction : stage.instructions) {
        m_text += "  ";
        std::visit(*this, instruction);
      }
    }
    return std::move(m_text);
  }

  void operator()(const Arg& arg) {
    m_text += head("arg", arg.origin) + word("name", arg.name) + word("default", arg.default_value) + "\n";
  }
  void operator()(const Env& env) { pairs("env", env.origin, env.pairs); }
  void operator()(const Label& label) { pairs("label", label.origin, label.pairs); }
  void operator()(const Run& run) {
    for (const auto& mount : run.mounts) {
      m_text += "mount @" + span(mount.span);
      for (const auto& option : mount.options) {
        m_text += word("option", option.name) + word("  value", option.value);
      }
      m_text += "\n  ";
    }
    command("run", run.origin, run.command, word("network", run.network) + word("security", run.security));
  }
  void operator()(const Cmd& cmd) { command("cmd", cmd.origin, cmd.command); }
  void operator()(const Entrypoint& entrypoint) { command("entrypoint", entrypoint.origin, entrypoint.command); }
  void operator()(const Copy& copy) {
    m_text += transfer("copy", copy) + word("from", copy.from) + truth("parents", copy.parents) + "\n";
  }
  void operator()(const Add& add) {
    m_text += transfer("add", add) + word("checksum", add.checksum) + truth("keep-git-dir", add.keep_git_directory);
    m_text += add.unpack ? fmt::format("\n      unpack {}\n", *add.unpack) : "\n";
  }
  void operator()(const Volume& volume) {
    m_text += head("volume", volume.origin) + words("path", volume.paths) + "\n";
  }
  void operator()(const Expose& expose) {
    m_text += head("expose", expose.origin) + words("port", expose.ports) + "\n";
  }
  void operator()(const StopSignal& signal) {
    m_text += head("stopsignal", signal.origin) + word("signal", signal.signal) + "\n";
  }
  void operator()(const Healthcheck& health) {
    if (!health.test) {
      m_text += head("healthcheck", health.origin) + "\n      none\n";
      return;
    }
    const auto numbers =
        fmt::format("\n      interval {} timeout {} start {} start interval {} ns, retries {}", health.interval.count(),
                    health.timeout.count(), health.start_period.count(), health.start_interval.count(), health.retries);
    command("healthcheck", health.origin, *health.test, numbers);
  }
  void operator()(const Onbuild& onbuild) {
    m_text += head("onbuild", onbuild.origin) + word("instruction", onbuild.instruction) + "\n";
  }
  void operator()(const Maintainer& maintainer) {
    m_text += head("maintainer", maintainer.origin) + word("name", maintainer.name) + "\n";
  }
  void operator()(const Fetch& fetch) {
    m_text += head("fetch", fetch.origin) + word("source", fetch.source) + word("destination", fetch.destination) +
              word("checksum", fetch.checksum) + "\n";
  }
  void operator()(const Snapshot& snapshot) {
    m_text += head("snapshot", snapshot.origin) + word("path", snapshot.path) + "\n";
  }
  void operator()(const Workdir& workdir) {
    m_text += head("workdir", workdir.origin) + word("path", workdir.path) + "\n";
  }
  void operator()(const User& user) { m_text += head("user", user.origin) + word("user", user.user) + "\n"; }
  void operator()(const Shell& shell) { m_text += head("shell", shell.origin) + words("word", shell.arguments) + "\n"; }

private:
  static std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
      result += c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : std::string(1, c);
    }
    return result;
  }
  std::string span(Span span) const {
    const auto begin = m_file.source->position(span.begin);
    const auto end = m_file.source->position(span.end);
    return begin.line == end.line ? fmt::format("{}:{}-{}", begin.line, begin.column, end.column)
                                  : fmt::format("{}:{}-{}:{}", begin.line, begin.column, end.line, end.column);
  }
  std::string head(std::string_view kind, const Origin& origin) const {
    return fmt::format("{} @{} |{}|", kind, span(origin.span), origin.display());
  }
  std::string word(std::string_view name, const Word& word) const {
    return fmt::format("\n      {} @{} |{}|", name, span(word.span), escaped(word.text));
  }
  std::string word(std::string_view name, const std::optional<Word>& value) const {
    return value ? word(name, *value) : std::string();
  }
  std::string words(std::string_view name, const std::vector<Word>& list) const {
    std::string text;
    for (const auto& one : list) {
      text += word(name, one);
    }
    return text;
  }
  std::string text(const ShellCommand& command) const { return word("shell", Word{command.text, command.span}); }
  std::string text(const ScriptCommand& command) const { return word("script", Word{command.text, command.span}); }
  std::string text(const ExecCommand& command) const {
    return command.arguments.empty() ? "\n      exec nothing" : words("exec", command.arguments);
  }
  void pairs(std::string_view kind, const Origin& origin, const std::vector<KeyValue>& pairs) {
    m_text += head(kind, origin);
    for (const auto& pair : pairs) {
      m_text += word("name", pair.name) + word("value", pair.value);
    }
    m_text += "\n";
  }
  template <class Command>
  void command(std::string_view kind, const Origin& origin, const Command& command, const std::string& more = {}) {
    m_text += head(kind, origin) + std::visit([&](const auto& form) { return text(form); }, command) + more + "\n";
  }
  static std::string truth(std::string_view name, bool value) {
    return value ? fmt::format("\n      {}", name) : std::string();
  }
  /// What COPY and ADD have in common.
  template <class Transfer>
  std::string transfer(std::string_view kind, const Transfer& transfer) const {
    auto text = head(kind, transfer.origin) + words("source", transfer.sources);
    for (const auto& file : transfer.inline_files) {
      text += word(file.expand ? "file" : "quoted file", file.name) +
              word("  content", Word{file.content, file.content_span});
    }
    return text + word("destination", transfer.destination) + word("chown", transfer.chown) +
           word("chmod", transfer.chmod) + words("exclude", transfer.excludes) + truth("link", transfer.link);
  }

  const File& m_file;
  std::string m_text;
};

struct Case {
  std::string name;
  std::filesystem::path folder;
};

std::vector<Case> cases_in(const std::string& kind) {
  std::vector<Case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(SHEAF_TEST_DATA "/golden/containerfile/" + kind)) {
    cases.push_back({kind + "_" + entry.path().filename().string(), entry.path()});
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

void expect_golden(const Case& which, const std::string& actual) {
  const auto path = which.folder / "expected";
  if (std::getenv("SHEAF_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(actual, read_file(path)) << "SHEAF_ACCEPT=1 rewrites " << path;
}

class Golden : public testing::TestWithParam<Case> {
protected:
  std::optional<File> parse_case() {
    return parse(std::make_shared<SourceText>("Containerfile", read_file(GetParam().folder / "Containerfile")),
                 m_diagnostics);
  }
  void lint_case(const File& file) {
    LintSettings settings;
    settings.is_excluded = [](std::string_view path) { return path == "ignored" || path.ends_with(".log"); };
    settings.base_variables = [](std::size_t) { return std::set<std::string>{"PATH", "VERSION"}; };
    lint(file, settings, m_diagnostics);
  }
  std::string diagnostics() const {
    const auto text = m_diagnostics.render();
    return text.empty() ? text : text + "\n";
  }

private:
  Diagnostics m_diagnostics;
};

class Good : public Golden {};
class Bad : public Golden {};
class Lint : public Golden {};

TEST_P(Good, IsDumped) {
  const auto file = parse_case();
  ASSERT_TRUE(file) << diagnostics();
  expect_golden(GetParam(), Dumper(*file).dump() + diagnostics());
}

TEST_P(Bad, IsExplained) {
  ASSERT_FALSE(parse_case());
  expect_golden(GetParam(), diagnostics());
}

TEST_P(Lint, FindsWhatIsDoubtful) {
  const auto file = parse_case();
  ASSERT_TRUE(file) << diagnostics();
  lint_case(*file);
  expect_golden(GetParam(), diagnostics());
}

TEST(LintCases, CoverEveryBuildCheck) {
  std::string all;
  for (const auto& one : cases_in("lint")) {
    all += read_file(one.folder / "expected");
  }
  for (const auto& check : build_checks()) {
    EXPECT_NE(all.find("[" + check + "]"), std::string::npos) << "no case in lint/ shows " << check;
  }
}

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Containerfile, Good, testing::ValuesIn(cases_in("good")), name_of);
INSTANTIATE_TEST_SUITE_P(Containerfile, Bad, testing::ValuesIn(cases_in("bad")), name_of);
INSTANTIATE_TEST_SUITE_P(Containerfile, Lint, testing::ValuesIn(cases_in("lint")), name_of);

} // namespace
} // namespace sheaf::containerfile
