// SPDX-License-Identifier: Apache-2.0
// Certificates and keystore as made natively against what Debian's update-ca-certificates and Java's keytool say.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "generate/certificates.hpp"
#include "generate/java_keystore.hpp"
#include "unit/generate/generate_support.hpp"

namespace sheaf::generate {
namespace {

int run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

class RealTool : public RootBase {
protected:
  void SetUp() override {
    RootBase::SetUp();
    if (!fs::exists("/usr/share/ca-certificates/mozilla") ||
        run("PATH=$PATH:/usr/sbin command -v update-ca-certificates") != 0) {
      GTEST_SKIP() << "Debian's package ca-certificates is not installed";
    }
    fs::create_directories(m_root / "usr/share");
    fs::copy("/usr/share/ca-certificates", m_root / "usr/share/ca-certificates", fs::copy_options::recursive);
    fs::create_directories(m_root / "usr/local/share/ca-certificates");
    file("etc/ca-certificates.conf", text_of("/etc/ca-certificates.conf"));
  }

  /// Runs the tool on the root; what it left in etc/ssl/certs, link texts relative to the root.
  std::map<std::string, std::string> run_tool() const {
    const auto root = m_root.string();
    const auto script = fmt::format(
        "PATH=$PATH:/usr/sbin LC_ALL=C update-ca-certificates --fresh --certsconf {0}/etc/ca-certificates.conf "
        "--certsdir {0}/usr/share/ca-certificates --localcertsdir {0}/usr/local/share/ca-certificates "
        "--etccertsdir {0}/etc/ssl/certs --hooksdir /nonexistent",
        root);
    EXPECT_EQ(run(script), 0);
    std::map<std::string, std::string> links;
    for (const auto& entry : fs::directory_iterator(m_root / "etc/ssl/certs")) {
      if (entry.is_symlink()) {
        auto target = fs::read_symlink(entry.path()).string();
        links.emplace(entry.path().filename(), target.starts_with(root) ? target.substr(root.size()) : target);
      }
    }
    return links;
  }
};

/// The tool numbers equal hashes in the order of the directory; by what they link to they are comparable.
std::multiset<std::pair<std::string, std::string>> without_numbers(const std::map<std::string, std::string>& links) {
  std::multiset<std::pair<std::string, std::string>> stems;
  for (const auto& [name, target] : links) {
    stems.emplace(name.ends_with(".pem") ? name : name.substr(0, 9), target);
  }
  return stems;
}

std::set<std::string> names_of(const std::map<std::string, std::string>& links) {
  std::set<std::string> names;
  for (const auto& [name, target] : links) {
    names.insert(name);
  }
  return names;
}

TEST_F(RealTool, LeavesTheSameBundleAndLinks) {
  file("usr/local/share/ca-certificates/corp (root), G2.crt", certificate("Corp Root"));
  file("usr/local/share/ca-certificates/Zeta/no newline.crt", [] {
    auto text = certificate("Übung  Test");
    text.pop_back();
    return text;
  }());
  const auto pair = certificate("In one file");
  file("usr/local/share/ca-certificates/pair.crt", pair + certificate("with another"));
  file("usr/local/share/ca-certificates/again.crt", certificate("Corp Root"));
  file("usr/local/share/ca-certificates/empty.crt", "");
  file("etc/ssl/certs/own.pem", certificate("Own"));
  auto configuration = text_of(m_root / "etc/ca-certificates.conf");
  const auto at = configuration.find("\nmozilla/");
  ASSERT_NE(at, std::string::npos);
  configuration.insert(at + 1, "!"); // one is switched off
  file("etc/ca-certificates.conf", configuration);

  const auto ours = make_certificate_folder(root());
  ASSERT_TRUE(ours) << ours.error().render();
  const auto theirs = run_tool();
  EXPECT_GT(theirs.size(), 200U);
  EXPECT_EQ(ours->bundle, text_of(m_root / "etc/ssl/certs/ca-certificates.crt"));
  EXPECT_EQ(names_of(ours->links), names_of(theirs));
  EXPECT_EQ(without_numbers(ours->links), without_numbers(theirs));
}

TEST_F(RealTool, KeytoolReadsTheKeystore) {
  if (run("keytool -help") != 0) {
    GTEST_SKIP() << "keytool is not installed";
  }
  file("usr/local/share/ca-certificates/Corp.crt", certificate("Corp Root"));
  const auto files = trusted_files(root());
  ASSERT_TRUE(files);
  const auto store = make_keystore(*files, {}, {}, 1700000000);
  file("cacerts", store);
  const auto list = (m_root / "list").string();
  ASSERT_EQ(
      std::system(fmt::format("LC_ALL=C keytool -list -storetype JKS -storepass changeit -keystore {}/cacerts >{}",
                              m_root.string(), list)
                      .c_str()),
      0);
  const auto text = text_of(list);
  EXPECT_THAT(text, testing::HasSubstr(fmt::format("contains {} entries", files->size())));
  EXPECT_THAT(text, testing::HasSubstr("debian:corp.pem, Nov 14, 2023, trustedCertEntry"));
}

TEST(RealKeystore, IsPrintedAsJavaWroteIt) {
  const fs::path store = "/etc/ssl/certs/java/cacerts";
  if (!fs::exists(store)) {
    GTEST_SKIP() << "Debian's package ca-certificates-java is not installed";
  }
  const auto bytes = text_of(store);
  const auto entries = parse_keystore(bytes);
  ASSERT_TRUE(entries) << entries.error().render();
  EXPECT_GT(entries->size(), 100U);
  EXPECT_EQ(print_keystore(*entries, "changeit"), bytes);
}

} // namespace
} // namespace sheaf::generate
