// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file of every driver, and as one, two or three versions of it: no crash; what is read can be printed
// and read again; merges do not depend on the order of the sides.
#include "base/assert.hpp"
#include "join/driver.hpp"
#include "join/extract.hpp"
#include "join/join.hpp"
#include "join/text_merge.hpp"

#include <array>
#include <cstdint>

namespace {

using namespace std::string_view_literals;
namespace join = sheaf::join;

constexpr std::array k_files = {"var/lib/dpkg/status"sv,
                                "var/lib/apt/extended_states"sv,
                                "var/lib/dpkg/diversions"sv,
                                "var/lib/dpkg/alternatives/editor"sv,
                                "var/cache/debconf/config.dat"sv,
                                "etc/passwd"sv,
                                "etc/group"sv,
                                "etc/shadow"sv,
                                "etc/subuid"sv,
                                "etc/ld.so.cache"sv,
                                "etc/shells"sv,
                                "etc/ca-certificates.conf"sv,
                                "etc/locale.gen"sv,
                                "var/lib/dpkg/statoverride"sv,
                                "etc/environment"sv};

void check_driver(std::string_view file, std::string_view text) {
  const auto* driver = join::driver_for(file);
  SHEAF_ASSERT(driver != nullptr);
  const auto canonical = [&](std::string_view source) -> std::optional<std::string> {
    auto records = driver->parse(file, source);
    if (!records) {
      return std::nullopt;
    }
    driver->order(file, *records, records->size());
    auto printed = driver->print(file, *records);
    SHEAF_ASSERT(printed.has_value());
    for (const auto& link : driver->links(file, *records)) {
      SHEAF_ASSERT(!link.first.starts_with('/') && ("/" + link.first + "/").find("/../") == std::string::npos);
    }
    return std::move(*printed);
  };
  if (const auto once = canonical(text)) {
    const auto twice = canonical(*once);
    SHEAF_ASSERT(twice && *twice == *once);
  }
}

void check_reconcile(std::string_view file, std::string_view key, std::string_view text) {
  const auto* driver = join::driver_for(file);
  const auto middle = text.size() / 2;
  const std::optional<std::string> before;
  const std::optional<std::string> current(text.substr(0, middle));
  const std::optional<std::string> after(text.substr(middle));
  const auto one = driver->reconcile({file, key, before, current, after});
  const auto other = driver->reconcile({file, key, before, after, current});
  SHEAF_ASSERT(one.has_value() == other.has_value() && (!one || one->value == other->value));
}

/// Versions of one file, the first one the base's; 0xff stands between them.
std::vector<std::string_view> versions_of(std::string_view bytes) {
  std::vector<std::string_view> versions;
  for (auto end = bytes.find('\xff'); versions.size() < 2 && end != bytes.npos; end = bytes.find('\xff')) {
    versions.push_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  versions.push_back(bytes);
  return versions;
}

void check_join(std::string_view file, const std::vector<std::string_view>& versions) {
  const auto* driver = join::driver_for(file);
  std::vector<join::Facts> facts;
  for (std::size_t i = 1; i < versions.size(); ++i) {
    auto changes = join::extract(*driver, file, versions[0], versions[i]);
    if (!changes) {
      return;
    }
    facts.push_back({std::move(*changes)});
  }
  std::vector<join::Layer> layers;
  for (const auto& layer : facts) {
    layers.push_back({"layer", &layer});
  }
  const auto base = [&](std::string_view) -> sheaf::Result<std::optional<std::string>> {
    return std::string(versions[0]);
  };
  const auto one = join::join(base, layers);
  const auto other = join::join(base, std::vector<join::Layer>(layers.rbegin(), layers.rend()));
  SHEAF_ASSERT(one.has_value() == other.has_value());
  SHEAF_ASSERT(!one || one->conflicts.empty() == other->conflicts.empty());
  SHEAF_ASSERT(!one || !one->conflicts.empty() || one->files == other->files);
}

void check_texts(const std::vector<std::string_view>& versions) {
  const std::vector<std::string_view> sides(versions.begin() + 1, versions.end());
  const std::vector<std::string_view> reverse(sides.rbegin(), sides.rend());
  const auto merged = join::merge_texts(versions[0], sides);
  SHEAF_ASSERT(merged.has_value() == join::merge_texts(versions[0], reverse).has_value());
  SHEAF_ASSERT(sides.size() != 1 || merged == sides[0]);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto versions = versions_of(bytes);
  for (const auto file : k_files) {
    check_driver(file, bytes);
    check_reconcile(file, "status", bytes);
    if (versions.size() > 1) {
      check_join(file, versions);
    }
  }
  check_texts(versions);
  return 0;
}
