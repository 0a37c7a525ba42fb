// SPDX-License-Identifier: Apache-2.0
// The join of dpkg's database: a base of 150 packages and six layers that together add 600.

#include "join/dpkg_status.hpp"
#include "join/extract.hpp"
#include "join/join.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace sheaf::join {
namespace {

constexpr int k_base_packages = 150;
constexpr int k_layers = 6;
constexpr int k_packages_per_layer = 100;

/// As long as a real stanza, which is some 800 bytes.
std::string stanza(const std::string& package) {
  return fmt::format(R"(Package: {0}
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: 1234
Maintainer: Debian Maintainers <maintainers@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: {0}-source
Version: 1.2.3-4+deb12u5
Replaces: {0}-old (<< 1.0)
Depends: libc6 (>= 2.34), libgcc-s1 (>= 3.0), libstdc++6 (>= 12), zlib1g (>= 1:1.2.11), debconf (>= 0.5) | debconf-2.0
Breaks: {0}-old (<< 1.0)
Description: shared library of {0}
 This package holds the run-time files of {0}, which other programs need to run. It is of no use alone,
 and is installed because something else depends on it.
 .
 The second paragraph of the description says a little more about what the library is for.
Homepage: https://example.org/{0}

)",
                     package);
}

std::string packages(const std::string& prefix, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += stanza(fmt::format("{}{:03}", prefix, i));
  }
  return text;
}

template <class Value>
Value must(Result<Value> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().render().c_str());
    std::abort();
  }
  return std::move(*result);
}

/// The prefixes spread the added packages over the whole alphabet, as real ones are.
constexpr std::array<const char*, k_layers> k_prefixes = {"libb", "libd", "libf", "libh", "libj", "libl"};

std::string base_text() { return packages("liba", k_base_packages / 2) + packages("libg", k_base_packages / 2); }

/// dpkg's order, or `extract` would do other work than in life.
std::string sorted(const std::string& text) {
  const DpkgStatus driver;
  auto records = must(driver.parse(k_dpkg_status_file, text));
  driver.order(k_dpkg_status_file, records, 0);
  return must(driver.print(k_dpkg_status_file, records));
}

Facts facts_of_layer(const std::string& base, const std::string& prefix) {
  const auto after = sorted(base + packages(prefix, k_packages_per_layer));
  return {must(extract(*driver_for(k_dpkg_status_file), k_dpkg_status_file, base, after))};
}

struct Case {
  std::string base = base_text();
  std::array<Facts, k_layers> facts;
  std::vector<Layer> layers;
  Case() {
    for (std::size_t i = 0; i < facts.size(); ++i) {
      facts[i] = facts_of_layer(base, k_prefixes[i]);
      layers.push_back({k_prefixes[i], &facts[i]});
    }
  }
};

void join_dpkg(benchmark::State& state) {
  const Case data;
  const BaseText base = [&](std::string_view) { return Result<std::optional<std::string>>(data.base); };
  for (auto _ : state) {
    auto joined = join(base, data.layers);
    if (!joined || !joined->conflicts.empty()) {
      state.SkipWithError("the layers do not join");
    }
    benchmark::DoNotOptimize(joined);
  }
  state.SetItemsProcessed(state.iterations() * (k_base_packages + k_layers * k_packages_per_layer));
}
BENCHMARK(join_dpkg)->Name("join/dpkg_status")->Unit(benchmark::kMillisecond);

/// The other half of composing: the facts of the layers are read before they are joined.
void read_facts(benchmark::State& state) {
  const Case data;
  std::vector<std::string> texts;
  for (const auto& facts : data.facts) {
    texts.push_back(serialise(facts));
  }
  for (auto _ : state) {
    for (const auto& text : texts) {
      auto facts = parse_facts(text);
      benchmark::DoNotOptimize(facts);
    }
  }
  state.SetItemsProcessed(state.iterations() * k_layers * k_packages_per_layer);
}
BENCHMARK(read_facts)->Name("join/parse_facts")->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf::join
