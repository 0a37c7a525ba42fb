// SPDX-License-Identifier: Apache-2.0
// Joined rpm databases against those that rpm writes: own small packages, installed side by side and one after the
// other, then looked at, verified, removed and added to by rpm itself.

#include "base/text.hpp"
#include "join/rpm_index.hpp"
#include "sql/database.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view k_file = "var/lib/rpm/rpmdb.sqlite";

/// What a command printed (both streams) and how it ended.
struct Outcome {
  std::string text;
  int status = 0;
};

Outcome run(const std::string& command) {
  Outcome outcome;
  auto* pipe = popen(("LC_ALL=C " + command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    outcome.text.append(buffer.data(), got);
  }
  outcome.status = pclose(pipe);
  return outcome;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr std::string_view k_spec = R"(Name: {name}
Version: {version}
Release: 1
Summary: about {name}
License: none
BuildArch: noarch
{tags}
%description
About {name}.
%install
mkdir -p %{{buildroot}}/usr/share/{name} %{{buildroot}}/etc
echo {name} {version} > %{{buildroot}}/usr/share/{name}/readme
echo {name} > %{{buildroot}}/etc/{name}.conf
{scripts}
%files
%dir /usr/share/{name}
/usr/share/{name}/readme
%config(noreplace) /etc/{name}.conf
)";

/// The packages are built once: it takes a second.
class Rpm : public testing::Test {
protected:
  static void SetUpTestSuite() {
    if (geteuid() != 0 || run("rpm --version && rpmbuild --version").status != 0) {
      return;
    }
    std::string name = (fs::temp_directory_path() / "sheaf-rpm-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    s_directory = name;
    build("bottom", "1.0", "Provides: floor = 2\nProvides: /bin/sh", "");
    build("alpha", "1.0",
          "Epoch: 3\nGroup: Tools\nRequires: bottom\nRequires: floor >= 1\nRequires(pre): /bin/sh\n"
          "Requires(post): bottom\nRequires(preun): /bin/sh\nRequires(posttrans): bottom\nRequires(meta): bottom\n"
          "Recommends: (gamma if bottom)\nSuggests: nothing",
          "%post\nexit 0\n%preun\nexit 0\n%posttrans\nexit 0\n%triggerin -- beta\nexit 0\n%triggerun -- beta, gamma\n"
          "exit 0\n%filetriggerin -- /usr/share/one /usr/share/two\nexit 0\n%transfiletriggerin -- /usr/share/all\n"
          "exit 0");
    build("beta", "2.0",
          "Requires: bottom\nRequires: (bottom or alpha)\nRequires: ((bottom and floor > 1) if alpha else bottom)\n"
          "Conflicts: (zeta with zeta(x) < 2)\nConflicts: omega\nObsoletes: old-beta < 1\nSupplements: (a and b)\n"
          "Enhances: c\nRecommends: (rpmlib(x) or d(e)(f))\nConflicts: (x unless y)",
          "%pre\nexit 0");
    build("gamma", "0.5", "Requires: alpha\nRequires: beta", "");
    build("alpha", "1.1", "Epoch: 3\nRequires: bottom", "");
    build("alpha", "1.2", "Epoch: 3\nRequires: bottom", "");
  }
  static void TearDownTestSuite() {
    if (!s_directory.empty()) {
      fs::remove_all(s_directory);
    }
  }
  void SetUp() override {
    if (s_directory.empty()) {
      GTEST_SKIP() << "needs root, rpm and rpmbuild";
    }
    m_base = root("base");
    install(m_base, "bottom-1.0");
  }
  void TearDown() override { fs::remove_all(s_directory / "roots"); }

  static void build(std::string_view name, std::string_view version, std::string_view tags, std::string_view scripts) {
    const auto spec = s_directory / fmt::format("{}.spec", name);
    std::ofstream(spec) << fmt::format(k_spec, fmt::arg("name", name), fmt::arg("version", version),
                                       fmt::arg("tags", tags), fmt::arg("scripts", scripts));
    const auto built = run(fmt::format("rpmbuild -bb --define '_topdir {0}/top' --define '_build_id_links none' {1}",
                                       s_directory.string(), spec.string()));
    ASSERT_EQ(built.status, 0) << built.text;
  }

  static fs::path root(const std::string& name) {
    auto path = s_directory / "roots" / name;
    fs::create_directories(path / "var/lib/rpm");
    return path;
  }
  fs::path copy_of_base(const std::string& name) const {
    auto path = root(name);
    EXPECT_EQ(run(fmt::format("cp -a {}/. {}", m_base.string(), path.string())).status, 0);
    return path;
  }
  static Outcome rpm(const fs::path& root, const std::string& arguments) {
    auto outcome = run(fmt::format("rpm --root {} --dbpath /var/lib/rpm {}", root.string(), arguments));
    // Debian's rpm says at every turn that it is not for installing; the roots have different names.
    std::string kept;
    for (const auto line : split(outcome.text, '\n')) {
      if (!line.starts_with("rpm: ") && !line.empty()) {
        kept.append(line).append("\n");
      }
    }
    return {kept, outcome.status};
  }
  static void install(const fs::path& root, const std::string& package, const std::string& how = "-U") {
    const auto done = rpm(root, fmt::format("{} --noscripts --notriggers {}/top/RPMS/noarch/{}-1.noarch.rpm", how,
                                            s_directory.string(), package));
    ASSERT_EQ(done.status, 0) << done.text;
  }
  static std::string database(const fs::path& root) {
    EXPECT_EQ(read(root / (std::string(k_file) + "-wal")), "");
    return read(root / k_file);
  }
  /// The files of all `layers` over the base, with this database.
  fs::path joined_root(const std::string& bytes, const std::vector<fs::path>& layers) const {
    auto path = copy_of_base("joined");
    for (const auto& layer : layers) {
      EXPECT_EQ(run(fmt::format("cp -a {0}/usr {0}/etc {1}/", layer.string(), path.string())).status, 0);
    }
    fs::remove_all(path / "var/lib/rpm");
    fs::create_directories(path / "var/lib/rpm");
    std::ofstream(path / k_file, std::ios::binary) << bytes;
    return path;
  }
  /// All that rpm knows of all packages, but for when they were installed.
  static std::string all(const fs::path& root) {
    // A pipe gives the status of its last command, so it is looked at before.
    EXPECT_EQ(rpm(root, "-qa").status, 0);
    return rpm(root, R"x(-qa --qf '[%{*:xml}\n]' | sed -E '/"Install(time|tid)"/,+1d')x").text;
  }
  static void expect_alike(const fs::path& joined, const fs::path& sequential, const std::string& arguments) {
    const auto one = rpm(joined, arguments);
    const auto two = rpm(sequential, arguments);
    EXPECT_EQ(one.text, two.text) << arguments;
    EXPECT_EQ(one.status, two.status) << arguments;
  }

  static inline fs::path s_directory;
  fs::path m_base;
};

/// The rows of a table as rpm or we wrote them.
std::vector<std::string> rows(const std::string& bytes, std::string_view table) {
  auto database = sql::Database::from_bytes(bytes).value();
  auto query = database.prepare(fmt::format("SELECT quote(key), hnum, idx FROM '{}'", table)).value();
  std::vector<std::string> all;
  while (query.step().value()) {
    all.push_back(fmt::format("{} {} {}", query.text(0), query.integer(1), query.integer(2)));
  }
  return all;
}

std::vector<std::string> schema(const std::string& bytes) {
  auto database = sql::Database::from_bytes(bytes).value();
  auto query = database
                   .prepare("SELECT type || ' ' || tbl_name || ' ' || sql FROM sqlite_master WHERE name NOT LIKE "
                            "'sqlite_%' ORDER BY type, name")
                   .value();
  std::vector<std::string> all;
  while (query.step().value()) {
    all.push_back(query.text(0));
  }
  return all;
}

TEST_F(Rpm, WritesTheTablesThatRpmWrites) {
  install(m_base, "alpha-1.0");
  install(m_base, "beta-2.0");
  install(m_base, "gamma-0.5");
  const auto theirs = database(m_base);
  const auto ours = reprinted(k_file, theirs);
  EXPECT_EQ(schema(ours), schema(theirs));
  for (const auto& table : rpm_tables()) {
    if (table.tag != RpmTag::install_transaction) {
      EXPECT_EQ(rows(ours, table.name), rows(theirs, table.name)) << table.name;
    }
  }
  EXPECT_GE(rows(ours, "Requirename").size(), 10U);
  EXPECT_EQ(rows(ours, "Installtid").size(), 4U);
}

TEST_F(Rpm, JoinEqualsTheSequentialBuild) {
  const auto a = copy_of_base("a");
  const auto b = copy_of_base("b");
  const auto sequential = copy_of_base("sequential");
  install(a, "alpha-1.0");
  install(b, "beta-2.0");
  install(sequential, "alpha-1.0");
  install(sequential, "beta-2.0");
  const auto bytes = joined_text(k_file, database(m_base), {database(a), database(b)});
  EXPECT_TRUE(bytes == reprinted(k_file, database(sequential)));

  const auto joined = joined_root(bytes, {a, b});
  EXPECT_EQ(rpm(joined, "-qa").text, "bottom-1.0-1.noarch\nalpha-1.0-1.noarch\nbeta-2.0-1.noarch\n");
  EXPECT_EQ(all(joined), all(sequential));
  expect_alike(joined, sequential, "-qf /usr/share/alpha/readme /etc/beta.conf /usr/share/bottom");
  expect_alike(joined, sequential, "-q --whatprovides floor");
  expect_alike(joined, sequential, "-q --whatrequires bottom");
  expect_alike(joined, sequential, "-q --triggeredby beta");
  EXPECT_EQ(rpm(joined, "-V -a").text, "");
  EXPECT_NE(rpm(joined, "-e --test bottom").status, 0);
  expect_alike(joined, sequential, "-e --test bottom");
  expect_alike(joined, sequential, "--verifydb");
  EXPECT_EQ(rpm(joined, "--verifydb").status, 0);

  // And rpm goes on with it.
  install(joined, "gamma-0.5");
  install(sequential, "gamma-0.5");
  EXPECT_EQ(all(joined), all(sequential));
  expect_alike(joined, sequential, "-e --test alpha");
  expect_alike(joined, sequential, "-e --noscripts --notriggers gamma beta");
  EXPECT_FALSE(fs::exists(joined / "usr/share/beta/readme"));
  EXPECT_EQ(rpm(joined, "-qa").text, "bottom-1.0-1.noarch\nalpha-1.0-1.noarch\n");
  expect_alike(joined, sequential, "--rebuilddb");
  EXPECT_EQ(all(joined), all(sequential));
  EXPECT_TRUE(reprinted(k_file, database(joined)) == reprinted(k_file, database(sequential)));
}

TEST_F(Rpm, TheTimeOfInstallationLeavesNoTrace) {
  const auto early = copy_of_base("early");
  const auto late = copy_of_base("late");
  install(early, "alpha-1.0");
  while (run("date +%s").text == rpm(early, "-q alpha --qf '%{INSTALLTIME}\\n'").text) {
    usleep(50'000);
  }
  install(late, "alpha-1.0");
  EXPECT_NE(rpm(early, "-q alpha --qf '%{INSTALLTIME}'").text, rpm(late, "-q alpha --qf '%{INSTALLTIME}'").text);
  const Files base = {{std::string(k_file), database(m_base)}};
  EXPECT_EQ(facts_of(base, {{std::string(k_file), database(early)}}),
            facts_of(base, {{std::string(k_file), database(late)}}));
  EXPECT_TRUE(reprinted(k_file, database(early)) == reprinted(k_file, database(late)));
}

TEST_F(Rpm, TwoVersionsAreAConflict) {
  const auto a = copy_of_base("a");
  const auto b = copy_of_base("b");
  install(a, "alpha-1.1");
  install(b, "alpha-1.2");
  const auto result = join_texts(k_file, database(m_base), {database(a), database(b)});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message,
            "package 'alpha.noarch' is version 3:1.1-1 in layer 'a' and version 3:1.2-1 in layer 'b'");
  EXPECT_EQ(result.conflicts[0].remedies[1],
            "build both layers from one package snapshot, so that both get the same 'alpha.noarch'");
}

TEST_F(Rpm, AnUpgradeAndARemovalAreTaken) {
  install(m_base, "alpha-1.0");
  install(m_base, "beta-2.0");
  const auto a = copy_of_base("a");
  const auto b = copy_of_base("b");
  install(a, "alpha-1.1");
  ASSERT_EQ(rpm(b, "-e --noscripts --notriggers beta").status, 0);
  const auto bytes = joined_text(k_file, database(m_base), {database(a), database(b)});
  const auto joined = joined_root(bytes, {});
  EXPECT_EQ(rpm(joined, "-qa").text, "bottom-1.0-1.noarch\nalpha-1.1-1.noarch\n");
}

TEST_F(Rpm, SeveralVersionsOfOnePackageUnite) {
  install(m_base, "alpha-1.0");
  const auto a = copy_of_base("a");
  const auto b = copy_of_base("b");
  install(a, "alpha-1.1", "-i --replacefiles --oldpackage");
  install(b, "alpha-1.2", "-i --replacefiles --oldpackage");
  const auto bytes = joined_text(k_file, database(m_base), {database(a), database(b)});
  EXPECT_EQ(rpm(joined_root(bytes, {}), "-qa").text,
            "bottom-1.0-1.noarch\nalpha-1.0-1.noarch\nalpha-1.1-1.noarch\nalpha-1.2-1.noarch\n");
}

} // namespace
} // namespace sheaf::join
