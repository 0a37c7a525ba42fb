// SPDX-License-Identifier: Apache-2.0
#include "archive/packing.hpp"
#include "base/digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace sheaf::archive {
namespace {

/// Text that can be packed, with parts that cannot.
std::string sample(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) {
    const auto value = random();
    text += value % 5 == 0 ? std::to_string(value) : "some words that come again and again, ";
  }
  text.resize(size);
  return text;
}

std::string pack(Packing packing, std::string_view text, unsigned threads, std::size_t piece) {
  std::string packed;
  auto compressor = Compressor::create(packing, threads, [&](std::string_view bytes) -> Result<void> {
    packed += bytes;
    return {};
  });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    EXPECT_TRUE(compressor->write(text.substr(at, piece)));
  }
  EXPECT_TRUE(compressor->finish());
  return packed;
}

Result<std::string> unpack(Packing packing, std::string_view packed, std::size_t piece) {
  std::string text;
  SHEAF_TRY_ASSIGN(auto decompressor, Decompressor::create(packing, [&](std::string_view bytes) -> Result<void> {
                     text += bytes;
                     return {};
                   }));
  for (std::size_t at = 0; at < packed.size(); at += piece) {
    SHEAF_TRY(decompressor.write(packed.substr(at, piece)));
  }
  SHEAF_TRY(decompressor.finish());
  return text;
}

class Packings : public testing::TestWithParam<Packing> {};
INSTANTIATE_TEST_SUITE_P(All, Packings, testing::Values(Packing::none, Packing::gzip, Packing::zstd));

TEST_P(Packings, GiveBackWhatTheyTook) {
  for (const std::size_t size : {0U, 1U, 1'000'000U, 1'048'576U, 1'048'577U, 8'388'608U, 9'000'000U}) {
    const auto text = sample(size);
    const auto packed = pack(GetParam(), text, 2, 100'000);
    for (const std::size_t piece : {65'536U, 1'000'000U}) {
      const auto again = unpack(GetParam(), packed, piece);
      ASSERT_TRUE(again) << again.error().render();
      EXPECT_TRUE(*again == text) << size;
    }
  }
}

TEST_P(Packings, TheBytesDoNotDependOnThreadsAndPieces) {
  const auto text = sample(13'000'000);
  const auto packed = pack(GetParam(), text, 1, text.size());
  EXPECT_TRUE(pack(GetParam(), text, 2, 4096) == packed);
  EXPECT_TRUE(pack(GetParam(), text, 7, 1'234'567) == packed);
  EXPECT_EQ(packing_of(packed), GetParam());
}

TEST_P(Packings, TinyPiecesAreEnough) {
  const auto packed = pack(GetParam(), sample(70'000), 1, 1);
  EXPECT_TRUE(unpack(GetParam(), packed, 1).value() == sample(70'000));
}

class RealPackings : public Packings {};
INSTANTIATE_TEST_SUITE_P(All, RealPackings, testing::Values(Packing::gzip, Packing::zstd));

TEST_P(RealPackings, SeveralInARowAreOne) {
  const auto packed = pack(GetParam(), "one ", 1, 9) + pack(GetParam(), "two", 1, 9);
  EXPECT_EQ(unpack(GetParam(), packed, 3).value(), "one two");
}

TEST_P(RealPackings, DamageIsSeen) {
  const auto packed = pack(GetParam(), sample(500'000), 2, 100'000);
  for (const auto& bad : {packed.substr(0, packed.size() - 1), packed.substr(0, packed.size() / 2), std::string(),
                          packed + "x", std::string("nothing of the kind")}) {
    const auto read = unpack(GetParam(), bad, 65'536);
    ASSERT_FALSE(read) << bad.size();
    EXPECT_EQ(read.error().code(), ErrorCode::corrupt);
  }
}

/// New bytes for the same layer are a new digest everywhere: this must only change together with the encoder's name.
TEST(Packing, TheBytesBelongToTheEncodersName) {
  EXPECT_EQ(encoder_name(Packing::none), "sheaf-layer 1");
  const auto text = sample(6'000'000);
  if (encoder_name(Packing::zstd) == "sheaf-layer 1; zstd 1.5.4 level 2 frame 4194304") {
    EXPECT_EQ(Digest::of(pack(Packing::zstd, text, 2, 65'536)).short_hex(), "553af895ee54");
  }
  if (encoder_name(Packing::gzip) == "sheaf-layer 1; libdeflate 1.14 level 4 block 1048576") {
    EXPECT_EQ(Digest::of(pack(Packing::gzip, text, 2, 65'536)).short_hex(), "b6d8eece0c16");
  }
}

TEST(Packing, AnErrorOfTheOutputIsPassedOn) {
  for (const auto packing : {Packing::none, Packing::gzip, Packing::zstd}) {
    auto compressor = Compressor::create(
        packing, 2, [](std::string_view) -> Result<void> { return Error(ErrorCode::no_space, "full"); });
    Result<void> done;
    for (int i = 0; i < 100 && done; ++i) {
      done = compressor->write(sample(1'000'000));
    }
    if (done) {
      done = compressor->finish();
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), ErrorCode::no_space);
  }
}

} // namespace
} // namespace sheaf::archive
