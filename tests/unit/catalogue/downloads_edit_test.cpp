// SPDX-License-Identifier: Apache-2.0
#include "catalogue/downloads_edit.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sheaf::catalogue {
namespace {

const std::string k_a(64, 'a');
const std::string k_b(64, 'b');
const std::string k_c(64, 'c');

Downloads parsed(const std::string& text) {
  Diagnostics diagnostics;
  auto downloads = parse_downloads(std::make_shared<const SourceText>("downloads.yml", text), diagnostics);
  EXPECT_TRUE(downloads) << diagnostics.render();
  return downloads.value_or(Downloads());
}

/// `text` with version 2.0 and digests b and c for 'tool'.
std::string edited(const std::string& text) {
  const auto result = with_pins(parsed(text), {{"tool", {"2.0", {{"amd64", k_b}, {"arm64", k_c}}, {}}}});
  return result ? *result : result.error().render();
}

const std::string k_front = "# A tool.\ntool:   # of example.org\n  url: https://h/{version}\n";

TEST(WithPins, ChangesNothingButTheValues) {
  const auto text = k_front +
                    "  version: '1.0'  # the newest\n  sha256:\n    amd64: {0}   # seen here\n    arm64: {0}\n"
                    "  also: [{{version: 0.9, sha256: {{amd64: {0}}}}}]\nother: {{url: 'https://h/o', version: 1.0}}\n";
  const auto wanted =
      k_front + "  version: '2.0'  # the newest\n  sha256:\n    amd64: {1}   # seen here\n    arm64: {2}\n"
                "  also: [{{version: 0.9, sha256: {{amd64: {0}}}}}]\nother: {{url: 'https://h/o', version: 1.0}}\n";
  const auto front = [](std::string format) { // the braces of {version} are text
    format.replace(format.find("{version}"), 9, "{{version}}");
    return format;
  };
  EXPECT_EQ(edited(fmt::format(fmt::runtime(front(text)), k_a)),
            fmt::format(fmt::runtime(front(wanted)), k_a, k_b, k_c));
}

TEST(WithPins, AddsDigestsBelowTheVersion) {
  EXPECT_EQ(edited(k_front + "  version: 1.0 # old\n  argument: x\n"),
            k_front + "  version: 2.0 # old\n  sha256:\n    amd64: " + k_b + "\n    arm64: " + k_c +
                "\n  argument: x\n");
  EXPECT_EQ(edited(k_front + "  version: 1.0"),
            k_front + "  version: 2.0\n  sha256:\n    amd64: " + k_b + "\n    arm64: " + k_c);
}

TEST(WithPins, AddsWhatIsMissing) {
  EXPECT_EQ(edited(k_front + "  version: 1\n  sha256:\n    arm64: " + k_a + "\n"),
            k_front + "  version: 2.0\n  sha256:\n    arm64: " + k_c + "\n    amd64: " + k_b + "\n");
  EXPECT_EQ(edited(k_front + "  version: 1\n  sha256: {}\n"),
            k_front + "  version: 2.0\n  sha256: {amd64: " + k_b + ", arm64: " + k_c + "}\n");
  EXPECT_EQ(edited(k_front + "  sha256:\n  version: 1\n"),
            k_front + "  sha256: {amd64: " + k_b + ", arm64: " + k_c + "}\n  version: 2.0\n");
}

TEST(WithPins, KeepsMapsInBraces) {
  EXPECT_EQ(edited("tool: {url: 'https://h/f', version: 1, argument: x}\n"),
            "tool: {url: 'https://h/f', version: 2.0, sha256: {amd64: " + k_b + ", arm64: " + k_c +
                "}, argument: x}\n");
  EXPECT_EQ(edited("tool: {url: 'https://h/f', version: \"1\", sha256: {amd64: " + k_a + "}}\n"),
            "tool: {url: 'https://h/f', version: \"2.0\", sha256: {amd64: " + k_b + ", arm64: " + k_c + "}}\n");
}

TEST(WithPins, RefusesATextThatItWouldBreak) {
  EXPECT_NE(edited(k_front + "  version: >-\n    1.0\n").find("is not written so that its values can be changed"),
            std::string::npos);
}

} // namespace
} // namespace sheaf::catalogue
