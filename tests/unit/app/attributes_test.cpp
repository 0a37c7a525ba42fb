// SPDX-License-Identifier: Apache-2.0
#include "app/attributes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using testing::ElementsAre;
using testing::Field;

auto is(const std::string& name, const std::optional<std::string>& value) {
  return testing::AllOf(Field(&Attribute::name, name), Field(&Attribute::value, value));
}

TEST(Attributes, ArePairsBetweenCommas) {
  EXPECT_THAT(parse_attributes("type=tar,dest=a=b,flag").value(),
              ElementsAre(is("type", "tar"), is("dest", "a=b"), is("flag", std::nullopt)));
}

TEST(Attributes, QuotesProtectCommasAndThemselves) {
  EXPECT_THAT(parse_attributes(R"("dest=a,b",x="say ""yes""")").value(),
              ElementsAre(is("dest", "a,b"), is("x", R"(say "yes")")));
}

TEST(Attributes, NothingIsNoAttribute) { EXPECT_TRUE(parse_attributes("").value().empty()); }

TEST(Attributes, OpenQuotesAreAMistake) {
  const auto attributes = parse_attributes("dest=\"a,b");
  ASSERT_FALSE(attributes);
  EXPECT_EQ(attributes.error().code(), ErrorCode::invalid);
}

} // namespace
} // namespace sheaf::app
