// SPDX-License-Identifier: Apache-2.0
#include "containerfile/check_directive.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"
#include "containerfile/truth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sheaf::containerfile {
namespace {

const std::array<std::string, 21> k_checks = {"StageNameCasing",
                                              "FromAsCasing",
                                              "NoEmptyContinuation",
                                              "ConsistentInstructionCasing",
                                              "DuplicateStageName",
                                              "ReservedStageName",
                                              "JSONArgsRecommended",
                                              "MaintainerDeprecated",
                                              "UndefinedArgInFrom",
                                              "WorkdirRelativePath",
                                              "UndefinedVar",
                                              "MultipleInstructionsDisallowed",
                                              "LegacyKeyValueFormat",
                                              "RedundantTargetPlatform",
                                              "SecretsUsedInArgOrEnv",
                                              "InvalidDefaultArgInFrom",
                                              "FromPlatformFlagConstDisallowed",
                                              "CopyIgnoredFile",
                                              "InvalidDefinitionDescription",
                                              "ExposeProtoCasing",
                                              "ExposeInvalidFormat"};
const std::array<std::string, 3> k_options = {"skip", "error", "experimental"};

class Reader {
public:
  Reader(const std::shared_ptr<const SourceText>& source, const Word& value, Diagnostics& diagnostics)
      : m_source(source), m_value(value), m_diagnostics(diagnostics) {}

  CheckDirective run() {
    if (trim(m_value.text).empty()) {
      return m_check;
    }
    for (const auto part : split(m_value.text, ';')) {
      const auto equals = part.find('=');
      if (equals == std::string_view::npos) {
        error(trim(part), fmt::format("'{}' is no 'OPTION=VALUE'", trim(part)));
      } else {
        option(trim(part.substr(0, equals)), trim(part.substr(equals + 1)));
      }
    }
    return std::move(m_check);
  }

private:
  /// `part` is a piece of the value, so its place is known.
  Span place(std::string_view part) const {
    const auto offset = static_cast<std::size_t>(part.data() - m_value.text.data());
    return {m_value.span.begin + offset, m_value.span.begin + offset + part.size()};
  }
  void error(std::string_view part, std::string message, std::string hint = {}) {
    if (hint.empty()) {
      hint = "write 'skip=NAME,NAME', 'skip=all' or 'error=true', with ';' between several";
    }
    m_diagnostics.error(m_source, place(part), "bad-check-option", std::move(message), std::move(hint));
  }

  void option(std::string_view name, std::string_view value) {
    if (name == "error") {
      const auto flag = parse_truth(value);
      if (!flag) {
        error(value, fmt::format("'{}' is neither 'true' nor 'false'", value));
      }
      m_check.error = flag.value_or(false);
    } else if (name == "skip") {
      checks(value, m_check.skip_all, m_check.skip);
    } else if (name == "experimental") {
      checks(value, m_check.experimental_all, m_check.experimental);
    } else {
      error(name, fmt::format("'check' has no option '{}'", name), did_you_mean(name, k_options));
    }
  }

  void checks(std::string_view list, bool& all, std::set<std::string, std::less<>>& names) {
    if (list == "all") {
      all = true;
      return;
    }
    for (const auto part : split(list, ',')) {
      const auto name = trim(part);
      if (std::find(k_checks.begin(), k_checks.end(), name) == k_checks.end()) {
        m_diagnostics.warning(m_source, place(name), "unknown-check", fmt::format("there is no build check '{}'", name),
                              did_you_mean(name, k_checks));
      }
      names.emplace(name);
    }
  }

  const std::shared_ptr<const SourceText>& m_source;
  const Word& m_value;
  Diagnostics& m_diagnostics;
  CheckDirective m_check;
};

} // namespace

CheckDirective parse_check(const std::shared_ptr<const SourceText>& source, const Word& value,
                           Diagnostics& diagnostics) {
  return Reader(source, value, diagnostics).run();
}

std::span<const std::string> build_checks() { return k_checks; }

} // namespace sheaf::containerfile
