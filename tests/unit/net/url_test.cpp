// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include <gtest/gtest.h>

namespace sheaf::net {
namespace {

TEST(Url, HasItsParts) {
  const auto url = Url::parse("HTTPS://me:pw@Host.Example:8443/a/b?x=1#top").value();
  EXPECT_EQ(url, (Url{"https", "me:pw", "host.example:8443", "/a/b", "x=1"}));
  EXPECT_EQ(url.to_string(), "https://me:pw@host.example:8443/a/b?x=1");
  EXPECT_EQ(url.shown(), "https://host.example:8443/a/b");
  EXPECT_EQ(url.host(), "host.example");
  EXPECT_EQ(Url::parse(url.to_string()).value(), url);
}

TEST(Url, OriginsSpellThePort) {
  EXPECT_EQ(Url::parse("https://h/x")->origin(), Url::parse("https://H:443")->origin());
  EXPECT_EQ(Url::parse("http://[::1]/x")->origin(), "http://[::1]:80");
  EXPECT_NE(Url::parse("https://h")->origin(), Url::parse("http://h:443")->origin());
}

TEST(Url, OtherTextsAreInvalid) {
  for (const auto* text : {"", "h/x", "ftp://h/", "http://", "http://:80", "http://h:x", "http://h:99999",
                           "http://[::1", "http://h/a b", "http://h/\r\nX: y", "https:///x"}) {
    EXPECT_FALSE(Url::parse(text)) << text;
  }
}

TEST(Url, ReferencesAreResolved) {
  const auto base = Url::parse("https://me:pw@h:5000/v2/a/b?old=1").value();
  const auto resolved = [&](std::string_view reference) { return resolve(base, reference).value().to_string(); };
  EXPECT_EQ(resolved("/v2/x?y=1"), "https://h:5000/v2/x?y=1");
  EXPECT_EQ(resolved("c"), "https://h:5000/v2/a/c");
  EXPECT_EQ(resolved("../c/./d"), "https://h:5000/v2/c/d");
  EXPECT_EQ(resolved("../../../../c"), "https://h:5000/c");
  EXPECT_EQ(resolved("?n=2"), "https://h:5000/v2/a/b?n=2");
  EXPECT_EQ(resolved("//other/x"), "https://other/x");
  EXPECT_EQ(resolved("http://other"), "http://other/");
  EXPECT_EQ(resolved("/sha256:abc"), "https://h:5000/sha256:abc");
  EXPECT_FALSE(resolve(base, "file:///etc/passwd"));
  EXPECT_FALSE(resolve(base, "/a\nb"));
}

TEST(Url, QueriesGrow) {
  auto url = Url::parse("http://h/x?_state=a%3D").value();
  url.add_query("digest", "sha256:0 &");
  EXPECT_EQ(url.query, "_state=a%3D&digest=sha256%3A0%20%26");
}

TEST(Url, ThisMachineIsKnownBySpelling) {
  for (const auto* host :
       {"localhost", "LOCALHOST:1", "x.localhost", "127.0.0.1", "127.255.0.1:5000", "[::1]", "[::1]:80"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const auto* host : {"", "localhost.example", "127.0.0.1.example", "127.0.0.256", "[::2]", "10.0.0.1"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

} // namespace
} // namespace sheaf::net
