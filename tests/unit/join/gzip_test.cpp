// SPDX-License-Identifier: Apache-2.0
#include "join/gzip.hpp"

#include <gtest/gtest.h>

namespace sheaf::join {
namespace {

TEST(Gzip, StoredTextComesBack) {
  for (const std::size_t size : {0U, 1U, 65534U, 65535U, 65536U, 131070U, 200000U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      text += static_cast<char>(i * 31 % 251);
    }
    EXPECT_EQ(gunzip(gzip_stored(text)).value(), text) << size;
  }
}

/// Made by `printf 'hello hello hello\n' | gzip -n`.
TEST(Gzip, ReadsCompressedText) {
  const std::string bytes("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x5c\x00\x3b\x7c"
                          "\x8a\xdf\x12\x00\x00\x00",
                          29);
  EXPECT_EQ(gunzip(bytes).value(), "hello hello hello\n");
}

TEST(Gzip, RefusesDamage) {
  const auto whole = gzip_stored("some text");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(gunzip(whole.substr(0, size)).error().code(), ErrorCode::corrupt) << size;
  }
  auto flipped = whole;
  flipped[15] ^= 1;
  EXPECT_EQ(gunzip(flipped).error().code(), ErrorCode::corrupt) << "the checksum";
  EXPECT_EQ(gunzip(whole + "x").error().message(), "byte 32: something after the gzip file's end");
}

TEST(Gzip, HasALimit) {
  EXPECT_EQ(gunzip(std::string((std::size_t{64} << 20U) + 1, 'x')).error().code(), ErrorCode::unsupported);
}

} // namespace
} // namespace sheaf::join
