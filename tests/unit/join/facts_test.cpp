// SPDX-License-Identifier: Apache-2.0
#include "join/facts.hpp"

#include <gtest/gtest.h>

namespace sheaf::join {
namespace {

constexpr std::string_view k_example = "sheaf-facts 1\n"
                                       "10:etc/passwd,5:redis,-19:redis:x:851:851::/:,\n"
                                       "10:etc/shells,7:/bin/sh,7:/bin/sh,-\n"
                                       "10:etc/shells,8:/bin/zsh,0:,3:a,b,\n";

// This is also the test that version 1 stays readable: the text above never changes.
TEST(Facts, ReadsAndWritesVersionOne) {
  const Facts facts = {{{"etc/passwd", "redis", std::nullopt, "redis:x:851:851::/:"},
                        {"etc/shells", "/bin/sh", "/bin/sh", std::nullopt},
                        {"etc/shells", "/bin/zsh", "", "a,b"}}};
  EXPECT_EQ(serialise(facts), k_example);
  const auto parsed = parse_facts(k_example);
  ASSERT_TRUE(parsed) << parsed.error().render();
  EXPECT_EQ(*parsed, facts);
  EXPECT_EQ(*parse_facts(serialise({})), Facts());
}

TEST(Facts, KeepsAnyBytes) {
  const Facts facts = {{{"etc/x", std::string("\0\n,-", 4), std::string("\xff\0", 2), ""}}};
  EXPECT_EQ(*parse_facts(serialise(facts)), facts);
}

TEST(Facts, RefusesWhatItDidNotWrite) {
  const auto body = [](std::string_view text) { return "sheaf-facts 1\n" + std::string(text); };
  for (const auto& bytes :
       {std::string(), std::string("{}"), body("x"), body("1:"), body("1:a"), body("9:a,"), body("01:a,1:k,-1:v,\n"),
        body("1:a,1:k,-1:v,"), body("1:a,1:k,--\n"), body("1:a,1:k,1:v,1:v,\n"), body("1:a,0:,-1:v,\n"),
        body("2:/a,1:k,-1:v,\n"), body("4:a/..,1:k,-1:v,\n"), body("0:,1:k,-1:v,\n"),
        body("99999999999999999999:a,1:k,-1:v,\n"), body("18446744073709551615:a,1:k,-1:v,\n"),
        body("1:b,1:k,-1:v,\n1:a,1:k,-1:v,\n"), body("1:a,1:k,-1:v,\n1:a,1:k,-1:w,\n")}) {
    const auto parsed = parse_facts(bytes);
    ASSERT_FALSE(parsed) << bytes;
    EXPECT_EQ(parsed.error().code(), ErrorCode::corrupt) << bytes;
  }
  EXPECT_EQ(parse_facts("sheaf-facts 2\n").error().code(), ErrorCode::unsupported);
}

TEST(Facts, SaysWhere) {
  EXPECT_EQ(parse_facts("sheaf-facts 1\n1:a,1:k,?").error().message(), "facts: byte 22: expected a length");
}

} // namespace
} // namespace sheaf::join
