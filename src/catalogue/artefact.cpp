// SPDX-License-Identifier: Apache-2.0
#include "catalogue/artefact.hpp"

#include <algorithm>
#include <array>

namespace sheaf::catalogue {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

bool answers(const Pin& pin, std::string_view wanted) {
  const std::string_view version = pin.version;
  return version.starts_with(wanted) && (version.size() == wanted.size() || version[wanted.size()] == '.');
}

} // namespace

std::string fill_in(std::string_view text, const Artefact& artefact, std::string_view version, std::string_view arch) {
  std::string result(text);
  const auto name = artefact.architectures.find(std::string(arch));
  replace_all(result, "{arch}", name != artefact.architectures.end() ? name->second : arch);
  replace_all(result, "{version}", version);
  return result;
}

const Pin* find_pin(const Artefact& artefact, std::string_view wanted) {
  if (wanted.empty() || wanted == "latest" || answers(artefact.current, wanted)) {
    return &artefact.current;
  }
  const auto found = std::ranges::find_if(artefact.others, [&](const Pin& pin) { return answers(pin, wanted); });
  return found != artefact.others.end() ? &*found : nullptr;
}

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_safe_address(std::string_view url) {
  constexpr std::string_view k_https = "https://";
  constexpr std::array<std::string_view, 3> k_local = {"http://localhost", "http://127.0.0.1", "http://[::1]"};
  if (url.find_first_of(" \t\r\n") != std::string_view::npos) {
    return false;
  }
  return (url.starts_with(k_https) && url.size() > k_https.size() && url[k_https.size()] != '/') ||
         std::ranges::any_of(k_local, [&](std::string_view host) {
           return url.starts_with(host) && (url[host.size()] == ':' || url[host.size()] == '/');
         });
}

} // namespace sheaf::catalogue
