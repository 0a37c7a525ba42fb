// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <set>

#include "generate/generator.hpp"

namespace sheaf::generate {
namespace {

std::string maker(const std::string& path, const std::optional<std::string>& target = std::nullopt) {
  const auto* found = output_of(path, target);
  return found == nullptr ? "" : std::string(found->name);
}

/// Names of the generators that a change at `path` concerns.
std::set<std::string> concerned(const std::string& path, Change change = Change::put) {
  std::set<std::string> names;
  for (const auto& one : generators()) {
    if (is_source(one, path, change)) {
      names.emplace(one.name);
    }
  }
  return names;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Generator, KnowsItsOutputs) {
  EXPECT_EQ(maker("etc/ssl/certs/ca-certificates.crt"), "certificates");
  EXPECT_EQ(maker("etc/ssl/certs/java/cacerts"), "java-keystore");
  EXPECT_EQ(maker("usr/lib/locale/locale-archive"), "locales");
  EXPECT_EQ(maker("var/cache/man/index.db"), "man-db");
  EXPECT_EQ(maker("var/cache/man/de/index.db"), "man-db");
  EXPECT_EQ(maker("usr/share/info/dir"), "info");
  EXPECT_EQ(maker("var/cache/fontconfig/abc.cache-7"), "fontconfig");
  EXPECT_EQ(maker("usr/share/mime/text/x-python.xml"), "mime");
  EXPECT_EQ(maker("usr/share/icons/hicolor/icon-theme.cache"), "icons");
  EXPECT_EQ(maker("usr/share/glib-2.0/schemas/gschemas.compiled"), "glib-schemas");
  EXPECT_EQ(maker("usr/lib/x86_64-linux-gnu/gio/modules/giomodule.cache"), "gio-modules");
  EXPECT_EQ(maker("usr/lib/aarch64-linux-gnu/gdk-pixbuf-2.0/2.10.0/loaders.cache"), "pixbuf-loaders");
}

TEST(Generator, LeavesWhatPackagesAndPeopleOwn) {
  for (const auto* path :
       {"var/cache/man", "usr/share/mime", "usr/share/mime/packages", "usr/share/mime/packages/freedesktop.org.xml",
        "usr/share/info/bash.info.gz", "usr/share/icons/hicolor/index.theme", "etc/ssl/certs/ssl-cert-snakeoil.pem",
        "etc/ssl/certs/java", "usr/lib/locale/C.utf8/LC_TIME", "usr/share/applications/vim.desktop"}) {
    EXPECT_EQ(maker(path), "") << path;
  }
}

TEST(Generator, CertificateLinksAreOutputsFilesAreNot) {
  EXPECT_EQ(maker("etc/ssl/certs/A.pem", "/usr/share/ca-certificates/mozilla/A.crt"), "certificates");
  EXPECT_EQ(maker("etc/ssl/certs/corp.pem", "/usr/local/share/ca-certificates/corp.crt"), "certificates");
  EXPECT_EQ(maker("etc/ssl/certs/0a1b2c3d.0", "A.pem"), "certificates");
  EXPECT_EQ(maker("etc/ssl/certs/0a1b2c3d.r12", "list.crl"), "certificates");
  EXPECT_EQ(maker("etc/ssl/certs/own.pem", "/opt/own.crt"), "");
  EXPECT_EQ(maker("etc/ssl/certs/0a1b2c3d.0", "/opt/own.crt"), "");
  EXPECT_EQ(maker("etc/ssl/certs/0a1b2c3d.x", "A.pem"), "");
  EXPECT_EQ(maker("etc/ssl/certs/0a1b2c3d.", "A.pem"), "");
  EXPECT_EQ(maker("etc/ssl/certs/A.pem"), "");
  EXPECT_EQ(maker("etc/ssl/certs/java/0a1b2c3d.0", "A.pem"), "");
}

TEST(Generator, SourcesCallForTheRightOnes) {
  EXPECT_THAT(concerned("usr/local/share/ca-certificates/corp.crt"), ElementsAre("certificates", "java-keystore"));
  EXPECT_THAT(concerned("etc/ca-certificates/update.d/jks-keystore"), ElementsAre("java-keystore"));
  EXPECT_THAT(concerned("usr/share/man/man1/ls.1.gz"), ElementsAre("man-db"));
  EXPECT_THAT(concerned("usr/bin/mandb"), ElementsAre("man-db"));
  EXPECT_THAT(concerned("etc/locale.gen"), ElementsAre("locales"));
  EXPECT_THAT(concerned("usr/share/icons/hicolor/48x48/apps/x.png"), ElementsAre("icons"));
  EXPECT_THAT(concerned("usr/bin/python3"), IsEmpty());
}

TEST(Generator, NoOutputIsASource) {
  EXPECT_THAT(concerned("usr/share/info/dir"), IsEmpty());
  EXPECT_THAT(concerned("etc/ssl/certs/ca-certificates.crt"), IsEmpty());
  EXPECT_THAT(concerned("usr/share/glib-2.0/schemas/gschemas.compiled"), IsEmpty());
}

TEST(Generator, ARemovedFolderTakesItsSourcesAlong) {
  EXPECT_THAT(concerned("usr/share/man", Change::removed), ElementsAre("man-db"));
  EXPECT_THAT(concerned("usr/share/man"), IsEmpty());
  EXPECT_THAT(concerned("usr/local/share", Change::removed),
              ElementsAre("certificates", "fontconfig", "java-keystore", "locales", "man-db"));
  EXPECT_THAT(concerned("usr/sh", Change::removed), IsEmpty());
}

TEST(Generator, RowsAreComplete) {
  std::set<std::string_view> names;
  for (const auto& one : generators()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_FALSE(one.outputs.empty() || one.sources.empty() || one.requires_paths.empty()) << one.name;
    EXPECT_FALSE(one.reason.empty()) << one.name;
    EXPECT_EQ(one.script.empty(), one.method != Method::tool) << one.name;
    for (const auto needed : one.requires_paths) {
      EXPECT_EQ(needed.find("**"), std::string_view::npos) << needed;
    }
  }
}

} // namespace
} // namespace sheaf::generate
