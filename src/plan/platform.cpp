// SPDX-License-Identifier: Apache-2.0
#include "plan/platform.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace sheaf::plan {
namespace {

constexpr std::string_view k_for = " for "; // no name of an image has a blank

/// Other names of architectures: name -> as Go has it, variant.
const std::map<std::string, std::pair<std::string, std::string>, std::less<>>& aliases() {
  static const std::map<std::string, std::pair<std::string, std::string>, std::less<>> names = {
      {"x86_64", {"amd64", ""}}, {"x86-64", {"amd64", ""}}, {"aarch64", {"arm64", ""}},
      {"i386", {"386", ""}},     {"armhf", {"arm", "v7"}},  {"armel", {"arm", "v6"}}};
  return names;
}

bool is_architecture(const std::string& name) {
  static const std::set<std::string> names = {"386",      "amd64",   "arm",     "arm64", "loong64", "mips64",
                                              "mips64le", "ppc64le", "riscv64", "s390x", "wasm"};
  return names.contains(name);
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

void normalise(Platform& platform) {
  if (const auto found = aliases().find(platform.architecture); found != aliases().end()) {
    platform.architecture = found->second.first;
    platform.variant = platform.variant.empty() ? found->second.second : platform.variant;
  }
  if (platform.architecture == "arm64" && (platform.variant == "v8" || platform.variant == "8")) {
    platform.variant.clear();
  }
  if (platform.architecture == "arm" && platform.variant.empty()) {
    platform.variant = "v7";
  }
}

} // namespace

std::string Platform::to_string() const {
  return variant.empty() ? fmt::format("{}/{}", os, architecture) : fmt::format("{}/{}/{}", os, architecture, variant);
}

Result<Platform> Platform::parse(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  auto parts = split(lower, '/');
  const auto mistake = [&] {
    return Error(ErrorCode::invalid, fmt::format("'{}' is no platform", text))
        .with_hint("write OS/ARCHITECTURE[/VARIANT], for example 'linux/arm64'");
  };
  if (parts.size() == 1) {
    parts.insert(parts.begin(), "linux");
  }
  if (parts.size() > 3 || !std::ranges::all_of(parts, is_word)) {
    return mistake();
  }
  Platform platform{std::string(parts[0]), std::string(parts[1]), parts.size() == 3 ? std::string(parts[2]) : ""};
  normalise(platform);
  if (!is_architecture(platform.architecture)) {
    return mistake();
  }
  return platform;
}

std::string PlatformImage::to_string() const {
  return platform && *platform != native_platform() ? name + std::string(k_for) + platform->to_string() : name;
}

PlatformImage PlatformImage::parse(std::string_view text) {
  const auto at = text.rfind(k_for);
  if (at != std::string_view::npos) {
    if (auto platform = Platform::parse(text.substr(at + k_for.size()))) {
      return {std::string(text.substr(0, at)), std::move(*platform)};
    }
  }
  return {std::string(text), std::nullopt};
}

Platform native_platform() {
#if defined(__aarch64__)
  return {"linux", "arm64", ""};
#else
  return {"linux", "amd64", ""};
#endif
}

} // namespace sheaf::plan
