// SPDX-License-Identifier: Apache-2.0
#include "plan/remote_source.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"
#include "plan/paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace sheaf::plan {
namespace {

constexpr std::string_view k_github = "github:";

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// "git@host:path", as scp has it.
bool is_scp_address(std::string_view text) {
  const auto at = text.find('@');
  const auto colon = text.find(':');
  const auto is_name = [](std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    });
  };
  return at != std::string_view::npos && colon != std::string_view::npos && at < colon && colon + 1 < text.size() &&
         is_name(text.substr(0, at)) && is_name(text.substr(at + 1, colon - at - 1));
}

/// `text` with "%2F" and the like put in.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text[i] == '%' ? to_number<unsigned>(text.substr(i + 1, 2), 16) : std::nullopt;
    if (code && i + 2 < text.size()) {
      result += static_cast<char>(*code);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

Error mistake(std::string message, std::string hint = {}) {
  return Error(ErrorCode::invalid, std::move(message)).with_hint(std::move(hint));
}

/// A folder of the repository; "" is all of it. `invalid_argument` if ".." leads out of it.
Result<std::string> folder_of(std::string_view text) {
  int depth = 0;
  for (const auto part : split(text, '/')) {
    depth += part == ".." ? -1 : part.empty() || part == "." ? 0 : 1;
    if (depth < 0) {
      return mistake(fmt::format("'{}' is outside of the repository", text),
                     "name a folder relative to the top of the repository, such as 'app/server'");
    }
  }
  const auto path = relative_path(text);
  return path == "." ? std::string() : path;
}

Result<void> set_ref(GitSource& source, std::string ref) {
  if (!source.ref.empty() && source.ref != ref) {
    return mistake(fmt::format("'{}' and '{}' are both asked for", source.ref, ref),
                   "one branch, tag or ref is enough");
  }
  source.ref = std::move(ref);
  return {};
}

Result<void> apply_query(GitSource& source, std::string_view query) {
  for (const auto part : split(query, '&')) {
    const auto sign = std::min(part.find('='), part.size());
    const auto key = part.substr(0, sign);
    const auto value = unescaped(part.substr(std::min(sign + 1, part.size())));
    if (key == "ref") {
      SHEAF_TRY(set_ref(source, value));
    } else if (key == "branch") {
      SHEAF_TRY(set_ref(source, "refs/heads/" + value));
    } else if (key == "tag") {
      SHEAF_TRY(set_ref(source, "refs/tags/" + value));
    } else if (key == "subdir") {
      SHEAF_TRY_ASSIGN(source.folder, folder_of(value));
    } else if (key == "checksum" || key == "commit") {
      if (!is_commit(value)) {
        return mistake(fmt::format("'{}' is not the name of a commit", value));
      }
      source.checksum = value;
    } else if (key == "keep-git-dir") {
      source.keep_git_directory = value.empty() || value == "1" || value == "true";
    } else if (!key.empty()) {
      return mistake(fmt::format("a repository has no option '{}'", key),
                     "known are ref, branch, tag, subdir, checksum and keep-git-dir");
    }
  }
  return {};
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

} // namespace

bool is_web_address(std::string_view source) { return source.starts_with("http://") || source.starts_with("https://"); }

Result<std::optional<GitSource>> parse_repository(std::string_view source) {
  const auto hash = std::min(source.find('#'), source.size());
  const auto question = std::min(source.substr(0, hash).find('?'), hash);
  GitSource git;
  git.url = source.substr(0, question);
  const bool by_scheme = source.starts_with("git://") || source.starts_with("ssh://") || is_scp_address(git.url);
  if (!by_scheme && !(is_web_address(source) && git.url.ends_with(".git"))) {
    return std::optional<GitSource>();
  }
  const auto fragment = source.substr(std::min(hash + 1, source.size()));
  const auto colon = std::min(fragment.find(':'), fragment.size());
  git.ref = fragment.substr(0, colon);
  SHEAF_TRY_ASSIGN(git.folder, folder_of(fragment.substr(std::min(colon + 1, fragment.size()))));
  SHEAF_TRY(apply_query(git, source.substr(std::min(question + 1, hash), hash - std::min(question + 1, hash))));
  return std::optional(std::move(git));
}

Result<HttpSource> parse_fetch(std::string_view source) {
  if (!source.starts_with(k_github)) {
    return HttpSource{std::string(source), {}};
  }
  const auto rest = source.substr(k_github.size());
  const auto at = std::min(rest.find('@'), rest.size());
  const auto parts = split(rest.substr(0, at), '/');
  const auto ref = at < rest.size() ? rest.substr(at + 1) : std::string_view("HEAD");
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty() || ref.empty()) {
    return mistake(fmt::format("'{}' names no repository", source), "write 'github:OWNER/REPOSITORY@REF'");
  }
  return HttpSource{fmt::format("https://github.com/{}/{}/archive/{}.tar.gz", parts[0], parts[1], ref), {}};
}

bool is_sha256(std::string_view text) { return text.starts_with("sha256:") && Digest::parse(text).has_value(); }

bool is_commit(std::string_view text) { return text.size() >= 7 && text.size() <= 64 && is_lower_hex(text); }

std::string file_name_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto host = url.find("://");
  const auto slash = url.rfind('/');
  if (slash == std::string_view::npos || (host != std::string_view::npos && slash < host + 3)) {
    return {};
  }
  const auto part = url.substr(slash + 1);
  std::string name;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool coded =
        part[i] == '%' && i + 2 < part.size() && hex_digit(part[i + 1]) >= 0 && hex_digit(part[i + 2]) >= 0;
    name += coded ? static_cast<char>(hex_digit(part[i + 1]) * 16 + hex_digit(part[i + 2])) : part[i];
    i += coded ? 2 : 0;
  }
  // A coded slash or an odd name must not become a path.
  return name.find('/') == std::string::npos && name != "." && name != ".." ? name : std::string();
}

} // namespace sheaf::plan
