// SPDX-License-Identifier: Apache-2.0
#include "registry/answer.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sheaf::registry {
namespace {

using Json = nlohmann::json;
constexpr std::size_t k_longest_message = 400;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Strangers' text on one line of ours, without control characters.
std::string tame(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  if (text.size() > k_longest_message) {
    text.resize(k_longest_message);
    text += "…";
  }
  return text;
}

ErrorCode code_of(int status) {
  switch (status) {
  case 401:
  case 403:
    return ErrorCode::denied;
  case 404:
  case 410:
    return ErrorCode::not_found;
  case 405:
  case 501:
    return ErrorCode::unsupported;
  case 507:
    return ErrorCode::no_space;
  default:
    return status >= 500 || status == 408 || status == 429 ? ErrorCode::network : ErrorCode::invalid;
  }
}

std::string hint_for(int status, std::string_view said, std::string_view host) {
  if (said.find("MANIFEST_BLOB_UNKNOWN") != std::string_view::npos) { // a code, though we look for it in the text
    return "the registry has thrown blobs away that were just pushed, as when it collects garbage meanwhile: push "
           "again";
  }
  switch (status) {
  case 401:
    return fmt::format("there is no such repository for people the registry does not know, or it wants to know who you "
                       "are: run 'sheaf login {}'",
                       host);
  case 403:
    return fmt::format("the account in use may not do this; run 'sheaf login {}' to use another, or ask its owner",
                       host);
  case 405:
    return "the registry may be read-only, or a mirror: push to another";
  case 413:
    return "a proxy in front of the registry limits the size of uploads";
  case 429:
    return fmt::format("the registry limits requests: wait, or run 'sheaf login {}' for a higher limit", host);
  default:
    return {};
  }
}

} // namespace

std::string messages_in(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  const auto errors = json.is_object() ? json.find("errors") : json.end();
  if (errors == json.end() || !errors->is_array()) {
    // Token servers have one "error", with a "message", a "details" or an "error_description".
    return json.is_object() ? tame(text_of(json, json.contains("error_description") ? "error_description"
                                                 : json.contains("details")         ? "details"
                                                                                    : "message"))
                            : std::string();
  }
  std::vector<std::string> all;
  for (const auto& error : *errors) {
    if (!error.is_object()) {
      continue;
    }
    const auto code = text_of(error, "code");
    const auto message = text_of(error, "message");
    const auto detail = error.find("detail");
    const bool is_telling =
        detail != error.end() && !detail->is_null() && !detail->empty() && code == "MANIFEST_BLOB_UNKNOWN";
    all.push_back(fmt::format("{}{}{}{}{}", code, code.empty() || message.empty() ? "" : ": ", message,
                              is_telling ? " " : "",
                              is_telling ? detail->dump(-1, ' ', false, Json::error_handler_t::replace) : ""));
  }
  return tame(joined(all, "; "));
}

Error error_of(const net::Response& response, std::string_view host) {
  const auto said = messages_in(response.body);
  Error error(code_of(response.status),
              fmt::format("the registry answered with status {}{}{}", response.status, said.empty() ? "" : ": ", said));
  const auto hint = hint_for(response.status, said, host);
  return hint.empty() ? error : std::move(error).with_hint(hint);
}

std::optional<std::string> next_page(std::string_view link) {
  for (const auto part : split(link, ',')) {
    const auto open = part.find('<');
    const auto close = part.find('>');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
      continue;
    }
    const auto relation = part.substr(close);
    if (relation.find("rel=\"next\"") != std::string_view::npos ||
        relation.find("rel=next") != std::string_view::npos) {
      return std::string(part.substr(open + 1, close - open - 1));
    }
  }
  return std::nullopt;
}

} // namespace sheaf::registry
