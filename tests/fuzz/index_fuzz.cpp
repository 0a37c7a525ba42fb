// SPDX-License-Identifier: Apache-2.0
// Any bytes as the index of a store: it is opened, asked everything and changed, or refused with an error. The first
// byte says whether the rest is the file, or what SQLite keeps beside a whole one: its journal or its log.
#include "base/assert.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/index.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): this file is a program

store::LayerRecord record(std::string_view name) {
  store::LayerRecord made;
  made.name = name;
  made.recipe_key.digest = Digest::of(name);
  made.content_key.digest = Digest::of("content");
  return made;
}

/// An index with a row, as its file's bytes.
std::string whole_index(const std::string& path) {
  {
    auto index = store::Index::open(path).value();
    SHEAF_ASSERT(index.add(record("base")).has_value());
  }
  return os::read_file(path).value();
}

void use(const std::string& path) {
  auto index = store::Index::open(path);
  if (!index) {
    return;
  }
  (void)index->content_of(record("base").recipe_key);
  (void)index->last_build_ms("base");
  (void)index->history("base");
  (void)index->newest();
  if (index->add(record("new"))) {
    (void)index->content_of(record("new").recipe_key);
  }
  (void)index->remove({record("base").recipe_key});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto folder = os::TempDir::create("/dev/shm", "sheaf-fuzz-").value();
  static const auto path = folder.path() + "/index.db";
  static const auto whole = whole_index(folder.path() + "/whole.db");
  constexpr std::array k_parts = {"", "-journal", "-wal"};
  if (size == 0) {
    return 0;
  }
  for (const auto* part : {"", "-journal", "-wal", "-shm"}) {
    SHEAF_ASSERT(os::remove_file_if_exists(path + part).has_value());
  }
  const auto bytes = std::string_view(reinterpret_cast<const char*>(data), size).substr(1);
  const std::string part = k_parts[data[0] % k_parts.size()];
  SHEAF_ASSERT(os::write_file(path, whole).has_value());
  SHEAF_ASSERT(os::write_file(path + part, bytes).has_value());
  use(path);
  return 0;
}
