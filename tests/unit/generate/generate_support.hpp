// SPDX-License-Identifier: Apache-2.0
#pragma once

// A root file system in a temporary directory, and certificates made for a test.

#include "os/fd.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace sheaf::generate {

namespace fs = std::filesystem;

inline std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Any bytes, wrapped as a certificate is.
inline std::string pem_of(const std::string& der) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio(out.get(), PEM_STRING_X509, "", reinterpret_cast<const unsigned char*>(der.data()),
                static_cast<long>(der.size()));
  char* data = nullptr;
  const auto length = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

/// A self-signed certificate of the common name, as PEM.
inline std::string certificate(const std::string& name) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 86400);
  X509_set_pubkey(made.get(), key.get());
  auto* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(made.get(), subject);
  X509_sign(made.get(), key.get(), EVP_sha256());
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(out.get(), made.get());
  char* data = nullptr;
  const auto length = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

class RootBase : public testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sheaf-generate-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    m_root = name;
    fs::create_directories(m_root / "etc/ssl/certs");
  }
  void TearDown() override { fs::remove_all(m_root); }

  void file(const std::string& path, const std::string& content) const {
    fs::create_directories((m_root / path).parent_path());
    std::ofstream(m_root / path, std::ios::binary) << content;
  }
  void link(const std::string& path, const std::string& target) const {
    fs::create_directories((m_root / path).parent_path());
    fs::create_symlink(target, m_root / path);
  }
  os::Fd root() const { return os::open(m_root.string(), O_RDONLY | O_DIRECTORY).value(); }

  fs::path m_root;
};

} // namespace sheaf::generate
