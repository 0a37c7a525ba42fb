// SPDX-License-Identifier: Apache-2.0
#include "builder/secret_scan.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace sheaf::builder {
namespace {

/// How a kind of token looks: `mark`, then at least `digits` characters of the alphabet. `anchor` is the place in
/// `mark` of a character that is rare in text: only there the rest is compared.
struct Shape {
  std::string_view mark;
  std::size_t anchor;
  std::size_t digits;
  std::string_view more; ///< characters of the alphabet beside letters and digits
  std::string_view kind;
};

// Sources: the issuers' descriptions of their formats (GitHub, "About authentication to GitHub"; GitLab, "Token
// overview"; AWS, "IAM identifiers"; Slack, "Token types"; npm, "About access tokens").
constexpr std::array k_shapes = {
    Shape{"AKIA", 2, 16, "", "an AWS access key"},      Shape{"ghp_", 3, 36, "", "a GitHub token"},
    Shape{"gho_", 3, 36, "", "a GitHub token"},         Shape{"ghs_", 3, 36, "", "a GitHub token"},
    Shape{"github_pat_", 6, 40, "_", "a GitHub token"}, Shape{"glpat-", 5, 20, "-_", "a GitLab token"},
    Shape{"xoxb-", 4, 20, "-", "a Slack token"},        Shape{"xoxa-", 4, 20, "-", "a Slack token"},
    Shape{"xoxp-", 4, 20, "-", "a Slack token"},        Shape{"sk-ant-", 2, 32, "-_", "an Anthropic key"},
    Shape{"sk-proj-", 2, 40, "-_", "an OpenAI key"},    Shape{"sk-", 2, 48, "", "an OpenAI key"},
    Shape{"AIza", 1, 35, "-_", "a Google API key"},     Shape{"npm_", 3, 36, "", "an npm token"},
};
constexpr std::string_view k_begin = "-----BEGIN ";
constexpr std::string_view k_private_key = "PRIVATE KEY-----";

constexpr std::size_t k_shortest_value = 6;
/// A NUL byte in the first so many bytes: no text.
constexpr std::size_t k_looked_at = 8192;

/// Longer than any shape, and than the first lines of a private key.
constexpr std::size_t k_longest_token = 256;

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool has_shape(std::string_view content, std::size_t start, const Shape& shape) {
  if (content.substr(start, shape.mark.size()) != shape.mark || (start > 0 && is_word(content[start - 1]))) {
    return false;
  }
  const auto rest = content.substr(start + shape.mark.size());
  std::size_t count = 0;
  while (count < rest.size() && count < shape.digits &&
         (is_word(rest[count]) || shape.more.find(rest[count]) != std::string_view::npos)) {
    ++count;
  }
  return count == shape.digits;
}

/// "-----BEGIN … PRIVATE KEY-----" with something after it: a program that only knows the words has no key in it.
bool has_private_key(std::string_view content) {
  for (auto at = content.find(k_begin); at != std::string_view::npos; at = content.find(k_begin, at + 1)) {
    const auto line = content.substr(at, content.find('\n', at) - at);
    if (trim(line).ends_with(k_private_key) && at + line.size() + 1 < content.size() &&
        is_word(content[at + line.size() + 1])) {
      return true;
    }
  }
  return false;
}

} // namespace

std::optional<std::string_view> token_in(std::string_view content) {
  if (content.substr(0, k_looked_at).find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  static constexpr auto k_anchors = [] {
    std::array<bool, 256> anchors{};
    for (const auto& shape : k_shapes) {
      anchors.at(static_cast<unsigned char>(shape.mark[shape.anchor])) = true;
    }
    return anchors;
  }();
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (!k_anchors[static_cast<unsigned char>(
            content[i])]) { // NOLINT(cppcoreguidelines-pro-bounds-constant-array-index)
      continue;
    }
    for (const auto& shape : k_shapes) {
      if (content[i] == shape.mark[shape.anchor] && i >= shape.anchor && has_shape(content, i - shape.anchor, shape)) {
        return shape.kind;
      }
    }
  }
  return has_private_key(content) ? std::optional<std::string_view>("a private key") : std::nullopt;
}

void SecretValues::add(const std::string& id, std::string_view value) {
  const auto bare = trim(value);
  if (bare.size() >= k_shortest_value) {
    const std::scoped_lock lock(m_mutex);
    m_values[id] = bare;
  }
}

std::optional<std::string> SecretValues::found_in(std::string_view content) const {
  const std::scoped_lock lock(m_mutex);
  for (const auto& [id, value] : m_values) {
    if (content.find(value) != std::string_view::npos) {
      return id;
    }
  }
  return std::nullopt;
}

std::size_t SecretValues::longest() const {
  const std::scoped_lock lock(m_mutex);
  std::size_t longest = 0;
  for (const auto& [id, value] : m_values) {
    longest = std::max(longest, value.size());
  }
  return longest;
}

std::size_t SecretScan::overlap() const { return std::max(m_values.longest(), k_longest_token); }

void SecretScan::look(const std::string& path, std::string_view content) {
  auto id = m_values.found_in(content);
  const auto kind = m_tokens == Tokens::looked_for ? token_in(content) : std::nullopt;
  if (!id && !kind) {
    return;
  }
  const std::scoped_lock lock(m_mutex);
  if (id) {
    m_found_values.emplace(path, std::move(*id));
  }
  if (kind) {
    m_found_tokens.emplace(path, *kind);
  }
}

} // namespace sheaf::builder
