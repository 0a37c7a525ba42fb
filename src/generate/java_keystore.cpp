// SPDX-License-Identifier: Apache-2.0
#include "generate/java_keystore.hpp"

#include "base/text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

namespace sheaf::generate {
namespace {

constexpr std::uint32_t k_magic = 0xfeedfeed;
constexpr std::uint32_t k_version = 2;
constexpr std::uint32_t k_private_key = 1;
constexpr std::uint32_t k_trusted = 2;
constexpr std::size_t k_seal = 20; // SHA-1
constexpr std::string_view k_prefix = "debian:";

template <class T>
void append_number(std::string& bytes, T value) {
  for (int shift = std::numeric_limits<T>::digits - 8; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((value >> shift) & 0xffU);
  }
}

/// A name as java.io.DataOutput.writeUTF writes it; for names without NUL and beyond-BMP characters that is UTF-8.
void append_text(std::string& bytes, std::string_view text) {
  append_number(bytes, static_cast<std::uint16_t>(text.size()));
  bytes += text;
}

Error corrupt() { return {ErrorCode::corrupt, "reading a Java keystore: not in the format JKS, or cut off"}; }

class Reader {
public:
  explicit Reader(std::string_view bytes) : m_bytes(bytes) {}

  template <class T>
  Result<T> number() {
    SHEAF_TRY_ASSIGN(const auto raw, take(sizeof(T)));
    T value = 0;
    for (const char byte : raw) {
      value = static_cast<T>(static_cast<T>(value << 8U) | static_cast<unsigned char>(byte));
    }
    return value;
  }
  Result<std::string_view> text() {
    SHEAF_TRY_ASSIGN(const auto length, number<std::uint16_t>());
    return take(length);
  }
  Result<std::string_view> block() {
    SHEAF_TRY_ASSIGN(const auto length, number<std::uint32_t>());
    return take(length);
  }
  std::size_t position() const { return m_at; }
  std::string_view since(std::size_t start) const { return m_bytes.substr(start, m_at - start); }

private:
  Result<std::string_view> take(std::size_t count) {
    if (count > m_bytes.size() - m_at) {
      return corrupt();
    }
    m_at += count;
    return m_bytes.substr(m_at - count, count);
  }

  std::string_view m_bytes;
  std::size_t m_at = 0;
};

Result<void> skip_certificate(Reader& reader) {
  SHEAF_TRY(reader.text()); // its type
  SHEAF_TRY(reader.block());
  return {};
}

Result<KeystoreEntry> read_entry(Reader& reader) {
  const auto start = reader.position();
  SHEAF_TRY_ASSIGN(const auto kind, reader.number<std::uint32_t>());
  SHEAF_TRY_ASSIGN(const auto alias, reader.text());
  SHEAF_TRY(reader.number<std::uint64_t>()); // its date
  if (kind == k_trusted) {
    SHEAF_TRY(skip_certificate(reader));
  } else if (kind == k_private_key) {
    SHEAF_TRY(reader.block());
    SHEAF_TRY_ASSIGN(const auto chain, reader.number<std::uint32_t>());
    for (std::uint32_t i = 0; i < chain; ++i) {
      SHEAF_TRY(skip_certificate(reader));
    }
  } else {
    return corrupt();
  }
  return KeystoreEntry{std::string(alias), std::string(reader.since(start))};
}

std::string sha1(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

/// What a shell makes of `name=value` or `name='value'`, the last one; nothing if there is none.
std::optional<std::string> assigned(std::string_view text, std::string_view name) {
  std::optional<std::string> value;
  for (const auto raw : lines_of(text)) {
    auto line = trim(raw);
    if (!line.starts_with(name) || line.substr(name.size()).substr(0, 1) != "=") {
      continue;
    }
    line.remove_prefix(name.size() + 1);
    const bool quoted = line.size() >= 2 && (line[0] == '\'' || line[0] == '"') && line.back() == line[0];
    value = quoted ? line.substr(1, line.size() - 2) : line;
  }
  return value;
}

} // namespace

Result<std::vector<KeystoreEntry>> parse_keystore(std::string_view bytes) {
  if (bytes.size() < k_seal) {
    return corrupt();
  }
  Reader reader(bytes.substr(0, bytes.size() - k_seal));
  SHEAF_TRY_ASSIGN(const auto magic, reader.number<std::uint32_t>());
  SHEAF_TRY_ASSIGN(const auto version, reader.number<std::uint32_t>());
  SHEAF_TRY_ASSIGN(const auto count, reader.number<std::uint32_t>());
  if (magic != k_magic || version != k_version) {
    return corrupt();
  }
  std::vector<KeystoreEntry> entries;
  for (std::uint32_t i = 0; i < count; ++i) {
    SHEAF_TRY_ASSIGN(auto entry, read_entry(reader));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string print_keystore(const std::vector<KeystoreEntry>& entries, std::string_view password) {
  std::string bytes;
  append_number(bytes, k_magic);
  append_number(bytes, k_version);
  append_number(bytes, static_cast<std::uint32_t>(entries.size()));
  for (const auto& entry : entries) {
    bytes += entry.bytes;
  }
  std::string sealed;
  for (const char c : password) { // as UTF-16, big end first
    sealed += '\0';
    sealed += c;
  }
  sealed += "Mighty Aphrodite"; // a constant of the format
  return bytes + sha1(sealed + bytes);
}

KeystoreEntry trusted_entry(const std::string& alias, std::string_view der, std::int64_t epoch) {
  KeystoreEntry entry{alias, {}};
  append_number(entry.bytes, k_trusted);
  append_text(entry.bytes, alias);
  append_number(entry.bytes, static_cast<std::uint64_t>(epoch) * 1000);
  append_text(entry.bytes, "X.509");
  append_number(entry.bytes, static_cast<std::uint32_t>(der.size()));
  entry.bytes += der;
  return entry;
}

bool is_derived(const KeystoreEntry& entry) { return entry.alias.starts_with(k_prefix); }

bool same_entries(std::string_view first, std::string_view second) {
  const auto undated = [](std::string_view bytes) -> Result<std::multiset<std::string>> {
    SHEAF_TRY_ASSIGN(const auto entries, parse_keystore(bytes));
    std::multiset<std::string> all;
    for (const auto& entry : entries) {
      auto text = entry.bytes;
      text.erase(sizeof(std::uint32_t) + sizeof(std::uint16_t) + entry.alias.size(), sizeof(std::uint64_t));
      all.insert(std::move(text));
    }
    return all;
  };
  const auto one = undated(first);
  const auto two = undated(second);
  return one && two && *one == *two;
}

KeystoreSettings parse_keystore_settings(std::string_view text) {
  KeystoreSettings settings;
  settings.updates = assigned(text, "cacerts_updates").value_or("") == "yes";
  if (auto password = assigned(text, "storepass")) {
    settings.password = std::move(*password);
  }
  return settings;
}

std::string make_keystore(const std::vector<TrustedFile>& files, const std::vector<KeystoreEntry>& present,
                          const KeystoreSettings& settings, std::int64_t epoch) {
  std::map<std::string, KeystoreEntry> entries;
  for (const auto& entry : present) {
    if (!is_derived(entry)) {
      entries.emplace(entry.alias, entry);
    }
  }
  for (const auto& [name, file] : links_by_name(files)) {
    if (const auto der = first_certificate(file.content)) {
      auto alias = std::string(k_prefix) + name;
      std::ranges::transform(alias, alias.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
      entries.insert_or_assign(alias, trusted_entry(alias, *der, epoch));
    }
  }
  std::vector<KeystoreEntry> sorted;
  sorted.reserve(entries.size());
  for (auto& [alias, entry] : entries) {
    sorted.push_back(std::move(entry));
  }
  return print_keystore(sorted, settings.password);
}

} // namespace sheaf::generate
