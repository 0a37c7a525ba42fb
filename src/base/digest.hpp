// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 digests, the names of everything sheaf stores.

#include "base/result.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sheaf {

/// A SHA-256 value. Its text form is that of the OCI image-spec, descriptor.md: "sha256:" and 64 lower-case hex digits.
class Digest {
public:
  using Bytes = std::array<std::uint8_t, 32>;

  Digest() = default; // all zero; no content has it
  explicit Digest(const Bytes& bytes) : m_bytes(bytes) {}
  /// `invalid` unless `text` is "sha256:<64 hex>" or the hex alone.
  static Result<Digest> parse(std::string_view text);
  static Digest of(std::string_view content);

  std::string to_string() const { return "sha256:" + hex(); }
  std::string hex() const;
  /// The first 12 hex digits, for people.
  std::string short_hex() const { return hex().substr(0, 12); }
  const Bytes& bytes() const { return m_bytes; }
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 that <=> compares with for a pointer
  auto operator<=>(const Digest&) const = default;

private:
  Bytes m_bytes{};
};

/// Incremental SHA-256. Not thread-safe. `field` adds a length-framed value, so that ("ab","c") and ("a","bc") differ.
class Sha256 {
public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(std::string_view bytes);
  Sha256& field(std::string_view value);
  /// The digest of all that was added; the object starts anew.
  Digest finish();

private:
  struct State;
  std::unique_ptr<State> m_state;
};

/// Two unlike things named by a digest, so that one cannot be passed for the other.
template <class Tag>
struct Key {
  Digest digest;
  std::string to_string() const { return digest.to_string(); }
  std::string hex() const { return digest.hex(); }
  std::string short_hex() const { return digest.short_hex(); }
  // NOLINTNEXTLINE(modernize-use-nullptr): as above
  auto operator<=>(const Key&) const = default;
};
/// Hash of all inputs of a layer.
using RecipeKey = Key<struct RecipeTag>;
/// Hash of a layer's canonical result.
using ContentKey = Key<struct ContentTag>;

/// SHA-1 as 40 hex digits: for names that other tools made so, never for trust.
std::string sha1_hex(std::string_view bytes);

} // namespace sheaf
