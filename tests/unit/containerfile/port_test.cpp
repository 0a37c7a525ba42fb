// SPDX-License-Identifier: Apache-2.0
#include "containerfile/port.hpp"

#include <gmock/gmock.h>

namespace sheaf::containerfile {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(std::string_view text) {
  const auto ports = parse_ports(text);
  return ports ? ports->names() : std::vector<std::string>{ports.error().message()};
}

TEST(Ports, AreNamedOneByOne) {
  EXPECT_THAT(names("80"), ElementsAre("80/tcp"));
  EXPECT_THAT(names("53/UDP"), ElementsAre("53/udp"));
  EXPECT_THAT(names("80/"), ElementsAre("80/tcp"));
  EXPECT_THAT(names("8000-8002/sctp"), ElementsAre("8000/sctp", "8001/sctp", "8002/sctp"));
  EXPECT_EQ(names("0-65535").size(), 65536U);
}

TEST(Ports, OfTheHostAreDropped) {
  for (const auto* text : {"8080:80", "127.0.0.1:8080:80", "127.0.0.1::80", ":80", "[::1]:8080:80", "::1:8080:80"}) {
    const auto ports = parse_ports(text);
    ASSERT_TRUE(ports) << text;
    EXPECT_TRUE(ports->maps_host) << text;
    EXPECT_THAT(ports->names(), ElementsAre("80/tcp")) << text;
  }
  EXPECT_THAT(names("1000-2000:80"), ElementsAre("80/tcp"));
}

TEST(Ports, SayWhatIsWrong) {
  EXPECT_THAT(names(""), ElementsAre("'' is no port"));
  EXPECT_THAT(names("65536"), ElementsAre("'65536' is no port"));
  EXPECT_THAT(names("9-8"), ElementsAre("'9-8' is no port"));
  EXPECT_THAT(names("80/icmp"), ElementsAre("'icmp' is no protocol of a port"));
  EXPECT_THAT(names("256.0.0.1:1:2"), ElementsAre("'256.0.0.1' is no IP address"));
  EXPECT_THAT(names("x:2"), ElementsAre("'x' is no port of the host"));
  EXPECT_THAT(names("1-2:7-9"), ElementsAre("'1-2' are not as many ports as '7-9'"));
}

} // namespace
} // namespace sheaf::containerfile
