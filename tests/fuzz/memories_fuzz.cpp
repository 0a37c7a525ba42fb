// SPDX-License-Identifier: Apache-2.0
// Any bytes as what is remembered of a build context: the digests of its files, and the record of a walk. Their
// checksum is made right, so that what is behind it is reached; whatever they hold, no byte outside of them is read.
#include "base/assert.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "context/checksum.hpp"
#include "context/content_digest.hpp"
#include "context/digest_cache.hpp"
#include "context/walk_record.hpp"

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): this file is a program

/// `bytes` behind `magic`, with the checksum of all from `from` on at `at`.
std::string file_of(std::string_view magic, std::string_view bytes, std::size_t at, std::size_t from) {
  std::string file = std::string(magic) + std::string(bytes);
  if (file.size() >= from && at + sizeof(std::uint64_t) <= file.size()) {
    const auto sum = context::checksum(std::string_view(file).substr(from));
    std::memcpy(file.data() + at, &sum, sizeof sum);
  }
  return file;
}

/// Digests of files: the header is magic, two counts and the checksum of the rest.
void check_digests(const std::string& path, std::string_view bytes) {
  SHEAF_ASSERT(os::write_file(path, file_of(std::string_view("shfdigs\x01", 8), bytes, 24, 32)).has_value());
  auto cache = context::DigestCache::load(path);
  (void)cache.data().find("a", {});
  (void)cache.data().find("b/c", {});
  cache.data().learn("b", {}, Digest::of("b"));
  SHEAF_ASSERT(cache.save().has_value());
  auto again = context::DigestCache::load(path);
  SHEAF_ASSERT(again.data().find("b", {}) == Digest::of("b"));
}

/// A walk: magic, the checksum of all that follows it, two counts, two digests.
void check_walk(const std::string& path, std::string_view bytes, const std::string& tree) {
  std::string content(bytes);
  const Digest sources = Digest::of("sources");
  if (content.size() >= 24 + sources.bytes().size()) {
    std::memcpy(content.data() + 24, sources.bytes().data(), sources.bytes().size());
  }
  SHEAF_ASSERT(os::write_file(path, file_of(std::string_view("shfwalk\x01", 8), content, 8, 16)).has_value());
  const auto root = os::open(tree, O_RDONLY | O_DIRECTORY).value();
  (void)context::recorded_digest(path, root, sources);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto folder = os::TempDir::create("/dev/shm", "sheaf-fuzz-").value();
  static const auto tree = folder.path() + "/tree";
  static const bool made = os::make_directories(tree + "/b") && os::write_file(tree + "/a", "a");
  SHEAF_ASSERT(made);
  if (size == 0) {
    return 0;
  }
  const auto bytes = std::string_view(reinterpret_cast<const char*>(data), size).substr(1);
  if (data[0] % 2 == 0) {
    check_digests(folder.path() + "/digests", bytes);
  } else {
    check_walk(folder.path() + "/walk", bytes, tree);
  }
  return 0;
}
