// SPDX-License-Identifier: Apache-2.0
#include "sbom/document.hpp"

#include "oci/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace sheaf::sbom {
namespace {

using namespace std::string_view_literals;

/// The identifiers of SPDX's list that packages of Debian, Alpine, Fedora, npm and PyPI use most. One that is missing
/// is kept as words, which loses nothing but the link. Sorted. Source: https://spdx.org/licenses/.
constexpr std::array k_identifiers = {"0BSD"sv,
                                      "AFL-2.1"sv,
                                      "AGPL-3.0-only"sv,
                                      "AGPL-3.0-or-later"sv,
                                      "Apache-1.1"sv,
                                      "Apache-2.0"sv,
                                      "Artistic-1.0"sv,
                                      "Artistic-2.0"sv,
                                      "BSD-1-Clause"sv,
                                      "BSD-2-Clause"sv,
                                      "BSD-3-Clause"sv,
                                      "BSD-4-Clause"sv,
                                      "BSL-1.0"sv,
                                      "BlueOak-1.0.0"sv,
                                      "CC-BY-3.0"sv,
                                      "CC-BY-4.0"sv,
                                      "CC-BY-SA-4.0"sv,
                                      "CC0-1.0"sv,
                                      "CDDL-1.0"sv,
                                      "CPL-1.0"sv,
                                      "EPL-1.0"sv,
                                      "EPL-2.0"sv,
                                      "FSFAP"sv,
                                      "GFDL-1.3-or-later"sv,
                                      "GPL-1.0-or-later"sv,
                                      "GPL-2.0-only"sv,
                                      "GPL-2.0"sv,
                                      "GPL-2.0-or-later"sv,
                                      "GPL-3.0-only"sv,
                                      "GPL-3.0"sv,
                                      "GPL-3.0-or-later"sv,
                                      "HPND"sv,
                                      "ICU"sv,
                                      "ISC"sv,
                                      "LGPL-2.0-only"sv,
                                      "LGPL-2.0-or-later"sv,
                                      "LGPL-2.1-only"sv,
                                      "LGPL-2.1"sv,
                                      "LGPL-2.1-or-later"sv,
                                      "LGPL-3.0-only"sv,
                                      "LGPL-3.0"sv,
                                      "LGPL-3.0-or-later"sv,
                                      "MIT"sv,
                                      "MIT-0"sv,
                                      "MPL-1.1"sv,
                                      "MPL-2.0"sv,
                                      "MS-PL"sv,
                                      "NCSA"sv,
                                      "OFL-1.1"sv,
                                      "OLDAP-2.8"sv,
                                      "OpenSSL"sv,
                                      "PSF-2.0"sv,
                                      "PostgreSQL"sv,
                                      "Python-2.0"sv,
                                      "Ruby"sv,
                                      "Unicode-DFS-2016"sv,
                                      "Unlicense"sv,
                                      "Vim"sv,
                                      "W3C"sv,
                                      "WTFPL"sv,
                                      "X11"sv,
                                      "ZPL-2.1"sv,
                                      "Zlib"sv,
                                      "bzip2-1.0.6"sv,
                                      "curl"sv,
                                      "libpng-2.0"sv};

/// What may follow WITH.
constexpr std::array k_exceptions = {"Autoconf-exception-3.0"sv, "Bison-exception-2.2"sv, "Classpath-exception-2.0"sv,
                                     "GCC-exception-3.1"sv,      "LLVM-exception"sv,      "OpenSSL-exception"sv};

template <std::size_t Count>
bool contains(const std::array<std::string_view, Count>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// SPDX 2.3, annex D, without LicenseRef: one look at each word, brackets counted.
class ExpressionReader {
public:
  /// False as soon as the words cannot be an expression.
  bool add(std::string_view word) {
    if (word == "(" || word == ")") {
      const bool fits = (word == "(") == (m_expects == Expects::operand);
      m_depth += word == "(" ? 1 : -1;
      m_can_have_exception = false;
      return fits && m_depth >= 0;
    }
    if (m_expects == Expects::operand) {
      m_expects = Expects::operation;
      m_can_have_exception = true;
      return contains(k_identifiers, word.ends_with('+') ? word.substr(0, word.size() - 1) : word);
    }
    if (m_expects == Expects::exception) {
      m_expects = Expects::operation;
      return contains(k_exceptions, word);
    }
    const bool is_with = word == "WITH";
    const bool fits = word == "AND" || word == "OR" || (is_with && m_can_have_exception);
    m_expects = is_with ? Expects::exception : Expects::operand;
    m_can_have_exception = false;
    return fits;
  }
  bool is_complete() const { return m_expects == Expects::operation && m_depth == 0; }

private:
  enum class Expects { operand, operation, exception };
  Expects m_expects = Expects::operand;
  int m_depth = 0;
  bool m_can_have_exception = false;
};

bool is_expression(std::string_view text) {
  ExpressionReader reader;
  for (std::size_t at = 0;;) {
    at = text.find_first_not_of(' ', at);
    if (at == std::string_view::npos) {
      return reader.is_complete();
    }
    const bool bracket = text[at] == '(' || text[at] == ')';
    const auto end = bracket ? at + 1 : std::min(text.find_first_of(" ()", at), text.size());
    if (!reader.add(text.substr(at, end - at))) {
      return false;
    }
    at = end;
  }
}

} // namespace

std::string utc_time(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string uuid_of(const Digest& digest) {
  auto hex = digest.hex().substr(0, 32);
  constexpr std::string_view k_variants = "89ab"; // the two upper bits are 10
  hex[12] = '8';
  hex[16] = k_variants[digest.bytes()[8] & 3U];
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

std::string image_purl(const Subject& subject) {
  PackageUrl url{"oci", {}, subject.name, subject.digest.to_string(), {{"arch", subject.architecture}}, {}};
  if (subject.name == subject.digest.to_string()) {
    url.name = "image"; // a URL must have a name, and the digest is its version
  } else if (const auto reference = oci::Reference::parse(subject.name)) {
    url.name = reference->repository.substr(reference->repository.rfind('/') + 1);
    url.qualifiers["tag"] = reference->tag;
    if (reference->registry != "docker.io") { // which is also where names without a registry seem to be
      url.qualifiers["repository_url"] = reference->registry + "/" + reference->repository;
    }
  }
  return to_string(url);
}

LicenceForm licence_form(std::string_view text) {
  if (contains(k_identifiers, text)) {
    return LicenceForm::identifier;
  }
  return is_expression(text) ? LicenceForm::expression : LicenceForm::words;
}

} // namespace sheaf::sbom
