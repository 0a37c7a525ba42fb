// SPDX-License-Identifier: Apache-2.0
// Any bytes are an archive or are refused, and what they unpack stays in its directory.
#include "archive/unpack.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf;
  static const auto directory = os::TempDir::create("/dev/shm", "sheaf-fuzz-").value();
  const auto target = directory.path() + "/a/b/target";
  if (!os::make_directories(target)) {
    std::abort();
  }
  auto reader = archive::Reader::open_memory({reinterpret_cast<const char*>(data), size});
  if (reader) {
    archive::UnpackOptions options;
    options.most_bytes = std::uint64_t{1} << 22U;
    options.most_entries = 200;
    options.whiteouts = size % 2 == 0 ? archive::Whiteouts::plain : archive::Whiteouts::overlay;
    const auto root = os::open(target, O_RDONLY | O_DIRECTORY).value();
    (void)archive::unpack(*reader, root, "", options);
  }
  for (const auto* level : {"", "/a", "/a/b"}) {
    if (os::list_directory(directory.path() + level).value().size() != 1) {
      std::abort();
    }
  }
  (void)os::remove_all(target);
  return 0;
}
