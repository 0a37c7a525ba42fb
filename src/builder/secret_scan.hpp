// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds secrets in what a step wrote: the values given to this build, and what looks like a token of a well-known kind.
// Never says the value.

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::builder {

/// The kind of token that `content` holds, for people ("a GitHub token"); nothing if it holds none, or is no text.
std::optional<std::string_view> token_in(std::string_view content);

/// The values of a build's secrets, as far as they were read. Safe from several threads.
class SecretValues {
public:
  /// Values of fewer than 6 bytes are found in everything: they are left out. Line ends around the value do not count.
  void add(const std::string& id, std::string_view value);
  /// The id of a secret whose value `content` holds.
  std::optional<std::string> found_in(std::string_view content) const;
  /// Of the values that are looked for, in bytes.
  std::size_t longest() const;

private:
  mutable std::mutex m_mutex;
  std::map<std::string, std::string> m_values; ///< by id
};

/// What one step's files gave. Safe from several threads.
class SecretScan {
public:
  enum class Tokens { ignored, looked_for };
  SecretScan(const SecretValues& values, Tokens tokens) : m_values(values), m_tokens(tokens) {}

  /// A large file may be shown in pieces that overlap by `overlap()` bytes.
  void look(const std::string& path, std::string_view content);
  /// So many that nothing that is looked for is cut apart.
  std::size_t overlap() const;

  /// Path to what was found there; read them after the last `look`.
  const std::map<std::string, std::string_view>& tokens() const { return m_found_tokens; }
  const std::map<std::string, std::string>& values() const { return m_found_values; }

private:
  const SecretValues& m_values;
  Tokens m_tokens;
  std::mutex m_mutex;
  std::map<std::string, std::string_view> m_found_tokens;
  std::map<std::string, std::string> m_found_values;
};

} // namespace sheaf::builder
