// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file that names packages, and any words as a licence: no crash, and what is read can be written as
// both kinds of document, which then are JSON. The first byte chooses what the rest is taken for.
#include "base/assert.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>

#include "sbom/cyclonedx.hpp"
#include "sbom/packages.hpp"
#include "sbom/spdx.hpp"

namespace {

using namespace std::string_view_literals;

// rpm's database has a target of its own: package_db.
constexpr std::array k_files = {"node_modules/a/package.json"sv, "a.dist-info/METADATA"sv, "var/lib/dpkg/status"sv,
                                "lib/apk/db/installed"sv};

void check_documents(sheaf::sbom::Packages packages) {
  const sheaf::sbom::Subject subject{"image", sheaf::Digest::of("image"), "amd64", 0};
  for (auto& package : packages.packages) {
    package.purl = sheaf::sbom::purl_of(package, packages.distribution);
    package.places = {package.name};
    SHEAF_ASSERT(package.purl.starts_with("pkg:"));
  }
  const auto spdx = sheaf::sbom::spdx_text(subject, packages, "tool");
  SHEAF_ASSERT(nlohmann::json::parse(spdx).at("packages").size() == packages.packages.size() + 1);
  const auto cyclonedx = sheaf::sbom::cyclonedx_text(subject, packages, "1");
  SHEAF_ASSERT(nlohmann::json::parse(cyclonedx).at("components").size() == packages.packages.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto bytes = std::string_view(reinterpret_cast<const char*>(data), size).substr(1);
  const auto choice = data[0] % (k_files.size() + 2);
  sheaf::sbom::Packages packages;
  if (choice < k_files.size()) {
    if (auto found = sheaf::sbom::parse_packages(k_files[choice], bytes)) {
      packages.packages = std::move(*found);
    }
  } else if (choice == k_files.size()) {
    packages.distribution = sheaf::sbom::parse_os_release(bytes);
    packages.packages.emplace_back();
  } else {
    packages.packages.emplace_back();
    packages.packages[0].licence = bytes;
  }
  check_documents(std::move(packages));
  return 0;
}
