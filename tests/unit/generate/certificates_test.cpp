// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "generate/certificates.hpp"
#include "unit/generate/generate_support.hpp"

namespace sheaf::generate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Certificates : public RootBase {
protected:
  std::vector<std::string> trusted() const {
    std::vector<std::string> paths;
    const auto files = trusted_files(root());
    EXPECT_TRUE(files) << files.error().render();
    for (const auto& one : files.value()) {
      paths.push_back(one.path);
    }
    return paths;
  }
};

TEST_F(Certificates, ConfiguredOnesComeFirstInTheirOrder) {
  file("usr/share/ca-certificates/mozilla/A.crt", "A");
  file("usr/share/ca-certificates/mozilla/B.crt", "B");
  file("usr/share/ca-certificates/mozilla/C.crt", "C");
  file("usr/local/share/ca-certificates/z.crt", "z");
  file("usr/local/share/ca-certificates/team/a.crt", "a");
  file("usr/local/share/ca-certificates/readme.txt", "-");
  file("etc/ca-certificates.conf", "# comment\n\nmozilla/B.crt\n!mozilla/C.crt\n  mozilla/A.crt \nmozilla/none.crt\n");
  EXPECT_THAT(trusted(),
              ElementsAre("/usr/share/ca-certificates/mozilla/B.crt", "/usr/share/ca-certificates/mozilla/A.crt",
                          "/usr/local/share/ca-certificates/team/a.crt", "/usr/local/share/ca-certificates/z.crt"));
}

TEST_F(Certificates, ALineWithoutItsEndDoesNotCount) {
  file("usr/share/ca-certificates/A.crt", "A");
  file("etc/ca-certificates.conf", "A.crt");
  EXPECT_THAT(trusted(), IsEmpty());
}

TEST_F(Certificates, LinksAreFollowedAndCirclesEnd) {
  file("opt/corp/root.crt", "R");
  link("usr/local/share/ca-certificates/corp", "/opt/corp");
  link("usr/local/share/ca-certificates/again", ".");
  link("usr/local/share/ca-certificates/lost.crt", "/nowhere");
  link("usr/local/share/ca-certificates/outside.crt", "../../../../../../../etc/hostname");
  const auto found = trusted();
  EXPECT_THAT(found, testing::Contains("/usr/local/share/ca-certificates/corp/root.crt"));
  EXPECT_THAT(found, testing::Not(testing::Contains(testing::EndsWith("lost.crt"))));
  EXPECT_THAT(found, testing::Not(testing::Contains(testing::EndsWith("outside.crt"))));
}

TEST(CertificateBundle, EveryFileEndsItsLine) {
  EXPECT_EQ(make_bundle({{"/a.crt", "A"}, {"/b.crt", "B\n"}, {"/c.crt", ""}}), "A\nB\n");
}

TEST(CertificateLinks, NamesAreCleaned) {
  EXPECT_EQ((TrustedFile{"/x/My CA (G2), Inc.crt", ""}).link_name(), "My_CA_=G2=__Inc.pem");
  EXPECT_EQ((TrustedFile{"/x/.crt", ""}).link_name(), ".crt.pem");
}

TEST(CertificateLinks, TheLaterOfTwoWins) {
  const auto links = links_by_name({{"/usr/share/x.crt", "1"}, {"/usr/local/x.crt", "2"}});
  ASSERT_THAT(links, SizeIs(1));
  EXPECT_EQ(links.at("x.pem").path, "/usr/local/x.crt");
}

TEST(CertificateLinks, OneSubjectTwiceIsNumberedOneCertificateTwiceIsNot) {
  const auto one = certificate("Same");
  const auto two = certificate("Same");
  const auto other = certificate("Other");
  const auto links = links_by_hash({{"a.pem", one},
                                    {"b.pem", two},
                                    {"c.pem", one},
                                    {"d.pem", other},
                                    {"both.pem", one + other},
                                    {"bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
                                    {"e.txt", other}});
  std::map<std::string, std::string> by_target;
  for (const auto& [name, target] : links) {
    by_target.emplace(target, name);
  }
  ASSERT_THAT(links, SizeIs(3));
  EXPECT_EQ(by_target.at("a.pem").substr(8), ".0");
  EXPECT_EQ(by_target.at("b.pem"), by_target.at("a.pem").substr(0, 8) + ".1");
  EXPECT_EQ(by_target.at("d.pem").substr(8), ".0");
}

TEST_F(Certificates, TheFolderSaysWhatIsThereAndKeepsOtherPeoplesFiles) {
  file("usr/local/share/ca-certificates/corp.crt", certificate("corp"));
  file("etc/ssl/certs/own.pem", certificate("own"));
  link("etc/ssl/certs/old.pem", "/usr/share/ca-certificates/old.crt");
  link("etc/ssl/certs/01234567.0", "old.pem");
  link("etc/ssl/certs/foreign.pem", "/opt/foreign.pem");
  const auto folder = make_certificate_folder(root());
  ASSERT_TRUE(folder) << folder.error().render();
  EXPECT_THAT(folder->present, ElementsAre(std::pair("01234567.0", "old.pem"),
                                           std::pair("old.pem", "/usr/share/ca-certificates/old.crt")));
  EXPECT_THAT(folder->links, SizeIs(3)) << "corp.pem, and a hash for corp.pem and own.pem";
  EXPECT_EQ(folder->links.at("corp.pem"), "/usr/local/share/ca-certificates/corp.crt");
}

TEST(FirstCertificate, OfTextOrBytes) {
  const auto pem = certificate("x");
  const auto der = first_certificate("Some words first.\n" + pem + certificate("y"));
  ASSERT_TRUE(der);
  EXPECT_EQ(first_certificate(*der), der);
  EXPECT_FALSE(first_certificate("nothing"));
  EXPECT_FALSE(first_certificate("\x30\x82"));
  auto set = *der; // a SET is no certificate, whatever it holds
  set[0] = '\x31';
  EXPECT_FALSE(first_certificate(pem_of(set)));
  EXPECT_EQ(first_certificate(pem_of(*der)), der);
}

} // namespace
} // namespace sheaf::generate
