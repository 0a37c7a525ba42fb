// SPDX-License-Identifier: Apache-2.0
// Feeds arbitrary bytes to the readers of manifests, complete configurations and docker archives' lists. What is
// accepted is written, and read again as the same value.
#include "base/assert.hpp"
#include "image/docker_archive_source.hpp"
#include "oci/manifest.hpp"
#include "oci/root_fs.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

bool is_known(const sheaf::Error& error) {
  return error.code() == sheaf::ErrorCode::corrupt || error.code() == sheaf::ErrorCode::unsupported;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto parsed = sheaf::oci::parse_manifest(text);
  SHEAF_ASSERT(parsed.has_value() || is_known(parsed.error()));
  if (parsed) {
    const auto printed = std::visit([](const auto& value) { return sheaf::oci::serialise(value); }, *parsed);
    const auto again = sheaf::oci::parse_manifest(printed);
    SHEAF_ASSERT(again.has_value());
    SHEAF_ASSERT(*again == *parsed);
    if (const auto* index = std::get_if<sheaf::oci::Index>(&*parsed)) {
      const auto chosen = sheaf::oci::choose(*index, {"linux", "amd64", "", ""});
      SHEAF_ASSERT(chosen.has_value() || chosen.error().code() == sheaf::ErrorCode::not_found);
    }
  }
  const auto root = sheaf::oci::parse_root_fs(text);
  SHEAF_ASSERT(root.has_value() || is_known(root.error()));
  const auto archive = sheaf::image::parse_docker_archive(text);
  SHEAF_ASSERT(archive.has_value() || is_known(archive.error()));
  return 0;
}
