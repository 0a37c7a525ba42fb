// SPDX-License-Identifier: Apache-2.0
// Laws of the join, on generated databases: the order of layers does not matter, joining twice is joining once, and
// the join of independent layers is what building them one after the other gives.

#include "join/rpm_database.hpp"

#include <fmt/format.h>

#include <random>

#include "unit/join/join_support.hpp"
#include "unit/join/rpm_support.hpp"

namespace sheaf::join {
namespace {

using Random = std::mt19937;

/// One line or stanza of a file for the name of a record; `version` makes it differ.
std::string record_text(std::string_view file, int number, int version) {
  if (file == "var/lib/dpkg/status") {
    return fmt::format("Package: p{0}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {1}\n\n", number,
                       version);
  }
  if (file == "var/lib/apt/extended_states") {
    return fmt::format("Package: p{}\nArchitecture: amd64\nAuto-Installed: 1\nX: {}\n\n", number, version);
  }
  if (file == "var/cache/debconf/config.dat") {
    return fmt::format("Name: q{}\nTemplate: t\nValue: {}\nOwners: o\n\n", number, version);
  }
  if (file == "var/lib/dpkg/diversions") {
    return fmt::format("/d{0}\n/d{0}.{1}\npkg\n", number, version);
  }
  if (file == "lib/apk/db/installed") {
    return fmt::format("C:Q1{0}=\nP:p{0}\nV:{1}\nF:usr\nR:f{0}\n\n", number, version);
  }
  if (file == "etc/apk/world") {
    return fmt::format("w{}={}\n", number, version);
  }
  if (file == "etc/environment") {
    return fmt::format("V{}={}\n", number, version);
  }
  if (file == "etc/subuid") {
    return fmt::format("u{}:{}:{}\n", number, 1000 * number, 10 + version);
  }
  return file == "etc/group" ? fmt::format("g{}:x:{}:m{}\n", number, number, version)
                             : fmt::format("u{0}:x:{0}:{0}:name{1}:/home:/bin/sh\n", number, version);
}

constexpr std::string_view k_rpm_file = k_rpm_database_files[0];

constexpr std::string_view k_files[] = {"var/lib/dpkg/status",
                                        "var/lib/apt/extended_states",
                                        "var/lib/dpkg/diversions",
                                        "var/cache/debconf/config.dat",
                                        "lib/apk/db/installed",
                                        "etc/apk/world",
                                        k_rpm_file,
                                        "etc/environment",
                                        "etc/subuid",
                                        "etc/group",
                                        "etc/passwd"};

/// file -> number of the record -> version.
using Model = std::map<std::string_view, std::map<int, int>>;

/// The only file that is no text: its records do not simply follow each other.
std::string rpm_text(const std::map<int, int>& records) {
  std::vector<PackageSketch> packages;
  for (const auto& [number, version] : records) {
    packages.push_back({.name = fmt::format("p{}", number), .version = fmt::format("{}", version)});
  }
  return reprinted(k_rpm_file, rpm_database_of(packages));
}

Files files_of(const Model& model) {
  Files files;
  for (const auto& [file, records] : model) {
    auto& text = files[std::string(file)];
    if (file == k_rpm_file) {
      text = rpm_text(records);
      continue;
    }
    for (const auto& [number, version] : records) {
      text += record_text(file, number, version);
    }
    text = reprinted(file, text);
  }
  return files;
}

/// What a layer does to record `number`; a layer only touches numbers that are its own modulo the count of layers.
struct Edit {
  std::string_view file;
  int number;
  int version; // 0 removes
};

std::vector<Edit> random_edits(Random& random, int layer, int layers) {
  std::vector<Edit> edits;
  for (const auto file : k_files) {
    for (int i = 0; i < 6; ++i) {
      edits.push_back({file, static_cast<int>(random() % 20) * layers + layer + 1, static_cast<int>(random() % 4)});
    }
  }
  return edits;
}

Model with(Model model, const std::vector<Edit>& edits) {
  for (const auto& edit : edits) {
    auto& records = model[edit.file];
    if (edit.version == 0) {
      records.erase(edit.number);
    } else {
      records[edit.number] = edit.version;
    }
  }
  return model;
}

/// The layers one after the other, each on what the ones before it left.
Files apply_facts(const Files& base, const std::vector<NamedFacts>& layers) {
  Files files = base;
  for (const auto& layer : layers) {
    for (auto& [file, text] : join_facts(files, {layer}).files) {
      files[file] = text;
    }
  }
  return files;
}

/// Equal as sets of records, for files whose order a sequential build leaves to chance.
std::map<std::string, std::map<std::string, std::string>> records_of(const Files& files) {
  std::map<std::string, std::map<std::string, std::string>> records;
  for (const auto& [file, text] : files) {
    const auto parsed = driver_for(file)->parse(file, text).value();
    for (const auto& record : parsed) {
      records[file][record.key] = record.value;
    }
  }
  return records;
}

class JoinLaws : public testing::TestWithParam<unsigned> {
protected:
  void SetUp() override {
    std::random_device device;
    m_seed = GetParam() == 0 ? device() : GetParam();
    RecordProperty("seed", static_cast<int>(m_seed));
    m_random.seed(m_seed);
    for (const auto file : k_files) {
      for (int number = 1; number < 60; number += 1 + static_cast<int>(m_random() % 3)) {
        m_base_model[file][number] = 1;
      }
    }
    m_base = files_of(m_base_model);
    constexpr int k_layers = 5;
    for (int layer = 0; layer < k_layers; ++layer) {
      m_edits.push_back(random_edits(m_random, layer, k_layers));
      m_layers.push_back(
          {fmt::format("layer{}", layer), facts_of(m_base, files_of(with(m_base_model, m_edits.back())))});
    }
  }

  unsigned m_seed = 0;
  Random m_random;
  Model m_base_model;
  Files m_base;
  std::vector<std::vector<Edit>> m_edits;
  std::vector<NamedFacts> m_layers;
};

TEST_P(JoinLaws, OrderDoesNotMatter) {
  const auto first = join_facts(m_base, m_layers);
  ASSERT_TRUE(first.conflicts.empty()) << "seed " << m_seed << ": " << first.conflicts[0].message;
  for (int i = 0; i < 10; ++i) {
    std::shuffle(m_layers.begin(), m_layers.end(), m_random);
    ASSERT_EQ(join_facts(m_base, m_layers).files, first.files) << "seed " << m_seed;
  }
}

TEST_P(JoinLaws, TwiceIsOnce) {
  auto twice = m_layers;
  twice.insert(twice.end(), m_layers.begin(), m_layers.end());
  const auto once = join_facts(m_base, m_layers);
  EXPECT_EQ(join_facts(m_base, twice).files, once.files) << "seed " << m_seed;
  // And on a base that has it all already.
  Files joined_base = m_base;
  for (const auto& [file, text] : once.files) {
    joined_base[file] = text;
  }
  const auto again = join_facts(joined_base, m_layers);
  EXPECT_EQ(again.files, once.files) << "seed " << m_seed;
  EXPECT_TRUE(again.conflicts.empty()) << "seed " << m_seed;
}

TEST_P(JoinLaws, EqualsTheSequentialBuild) {
  auto sequential = m_base_model;
  for (const auto& edits : m_edits) {
    sequential = with(std::move(sequential), edits);
  }
  const auto joined_files = join_facts(m_base, m_layers).files;
  EXPECT_EQ(records_of(joined_files), records_of(files_of(sequential))) << "seed " << m_seed;
  EXPECT_EQ(records_of(joined_files), records_of(apply_facts(m_base, m_layers))) << "seed " << m_seed;
  // dpkg's own file is equal byte for byte.
  EXPECT_EQ(joined_files.at("var/lib/dpkg/status"), files_of(sequential).at("var/lib/dpkg/status"));
}

TEST_P(JoinLaws, FactsSurviveTheirBytes) {
  for (const auto& layer : m_layers) {
    EXPECT_EQ(*parse_facts(serialise(layer.facts)), layer.facts) << "seed " << m_seed;
  }
}

std::string seed_name(const testing::TestParamInfo<unsigned>& info) {
  return info.param == 0 ? "random" : fmt::format("seed{}", info.param);
}

// Seed 0 stands for a new one each time; a failure prints it.
INSTANTIATE_TEST_SUITE_P(Seeds, JoinLaws, testing::Values(0U, 1U, 2U, 3U, 4U, 5U), seed_name);

} // namespace
} // namespace sheaf::join
