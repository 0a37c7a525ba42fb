// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "generate/man_index.hpp"

namespace sheaf::generate {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::Pair;

using Pages = std::vector<std::pair<std::string, std::string>>;

template <class T>
void put(std::string& bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[at + i] = static_cast<char>((value >> (8 * i)) & 0xffU);
  }
}

/// A GNU dbm file with one bucket at 64, to which both entries of the directory at 48 lead.
std::string index_of(const Pages& pages) {
  constexpr std::size_t k_bucket = 64;
  const auto elements = static_cast<std::uint32_t>(pages.size() + 1);
  const std::size_t bucket_bytes = 112 + 24 * std::size_t{elements};
  std::string bytes(k_bucket + bucket_bytes, '\0');
  put<std::uint32_t>(bytes, 0, 0x13579acf);
  put<std::uint64_t>(bytes, 8, 48);
  put<std::uint32_t>(bytes, 16, 16);
  put(bytes, 24, static_cast<std::uint32_t>(bucket_bytes));
  put(bytes, 28, elements);
  put<std::uint64_t>(bytes, 48, k_bucket);
  put<std::uint64_t>(bytes, 56, k_bucket);
  std::size_t at = k_bucket + 112;
  for (const auto& [key, data] : pages) {
    put<std::uint64_t>(bytes, at + 8, bytes.size());
    put(bytes, at + 16, static_cast<std::uint32_t>(key.size()));
    put(bytes, at + 20, static_cast<std::uint32_t>(data.size()));
    bytes += key + data;
    at += 24;
  }
  put<std::uint32_t>(bytes, at, 0xffffffff); // the last element is free
  return bytes;
}

const auto k_ls = "-\t1\t1\t1663687647\t5\tA\t-\t-\tgz\tlist folders\0"s;
const auto k_ls_later = "-\t1\t1\t1763687647\t0\tA\t-\t-\tgz\tlist folders\0"s;
const auto k_several = "\tcrontab\t1\tcrontab\t5\0"s;

TEST(ManIndex, HoldsKeysAndData) {
  const auto records = parse_man_index(index_of({{"ls\0"s, k_ls}, {"crontab\0"s, k_several}}));
  ASSERT_TRUE(records) << records.error().render();
  EXPECT_THAT(*records, ElementsAre(Pair("crontab\0"s, k_several), Pair("ls\0"s, k_ls)));
}

TEST(ManIndex, OrderAndTimesAreNoDifference) {
  const auto one = index_of({{"ls\0"s, k_ls}, {"crontab\0"s, k_several}});
  EXPECT_TRUE(same_pages(one, index_of({{"crontab\0"s, k_several}, {"ls\0"s, k_ls_later}})));
  EXPECT_FALSE(same_pages(one, index_of({{"ls\0"s, k_ls}})));
  EXPECT_FALSE(same_pages(one, index_of({{"ls\0"s, k_several}, {"crontab\0"s, k_ls}})));
  const auto described = "-\t1\t1\t1663687647\t5\tA\t-\t-\tgz\tlist files\0"s;
  EXPECT_FALSE(same_pages(one, index_of({{"ls\0"s, described}, {"crontab\0"s, k_several}})));
  const auto other_section = "\tcrontab\t1\tcrontab\t8\0"s;
  EXPECT_FALSE(same_pages(one, index_of({{"ls\0"s, k_ls}, {"crontab\0"s, other_section}})));
}

TEST(ManIndex, EveryCutIsRefused) {
  const auto whole = index_of({{"ls\0"s, k_ls}});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto records = parse_man_index(whole.substr(0, length));
    ASSERT_FALSE(records) << length;
    EXPECT_EQ(records.error().code(), ErrorCode::corrupt);
  }
  EXPECT_FALSE(same_pages("", ""));
}

TEST(ManIndex, OverlappingPartsAreRefused) {
  auto bytes = index_of({{"ls\0"s, k_ls}});
  put<std::uint64_t>(bytes, 56, 65); // a second bucket over the first
  EXPECT_FALSE(parse_man_index(bytes));
  bytes = index_of({{"ls\0"s, k_ls}});
  put<std::uint32_t>(bytes, 28, 0x10000000); // more elements than fit
  EXPECT_FALSE(parse_man_index(bytes));
}

} // namespace
} // namespace sheaf::generate
