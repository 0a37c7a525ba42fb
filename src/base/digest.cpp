// SPDX-License-Identifier: Apache-2.0
#include "base/digest.hpp"

#include "base/assert.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <utility>

namespace sheaf {
namespace {

/// Looked up once: EVP_sha256() is searched for again in every init since OpenSSL 3, which costs more than hashing a
/// small file.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

} // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : m_state(std::make_unique<State>()) {
  SHEAF_ASSERT(EVP_DigestInit_ex2(m_state->context, sha256_method(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(std::string_view bytes) {
  SHEAF_ASSERT(EVP_DigestUpdate(m_state->context, bytes.data(), bytes.size()) == 1);
  return *this;
}

Sha256& Sha256::field(std::string_view value) { return update(fmt::format("{}:", value.size())).update(value); }

Digest Sha256::finish() {
  Digest::Bytes bytes{};
  unsigned length = 0;
  SHEAF_ASSERT(EVP_DigestFinal_ex(m_state->context, bytes.data(), &length) == 1 && length == bytes.size());
  SHEAF_ASSERT(EVP_DigestInit_ex2(m_state->context, sha256_method(), nullptr) == 1);
  return Digest(bytes);
}

Result<Digest> Digest::parse(std::string_view text) {
  constexpr std::string_view k_prefix = "sha256:";
  const auto digits = text.starts_with(k_prefix) ? text.substr(k_prefix.size()) : text;
  if (digits.size() != 64) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is not a SHA-256 digest", text));
  }
  Bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(digits[2 * i]);
    const int low = hex_value(digits[2 * i + 1]);
    if (high < 0 || low < 0) {
      return Error(ErrorCode::invalid, fmt::format("'{}' is not a SHA-256 digest", text));
    }
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return Digest(bytes);
}

Digest Digest::of(std::string_view content) { return Sha256().update(content).finish(); }

std::string Digest::hex() const {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * m_bytes.size());
  for (const auto byte : m_bytes) {
    text += k_digits[byte >> 4U];
    text += k_digits[byte & 15U];
  }
  return text;
}

std::string sha1_hex(std::string_view bytes) {
  std::array<unsigned char, 20> digest{};
  unsigned length = 0;
  SHEAF_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr) == 1 &&
               length == digest.size());
  std::string text;
  for (const auto byte : digest) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

} // namespace sheaf
