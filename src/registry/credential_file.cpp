// SPDX-License-Identifier: Apache-2.0
#include "registry/credential_file.hpp"

#include "registry/base64.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sheaf::registry {
namespace {

/// Keeps the order of what people wrote.
using Json = nlohmann::ordered_json;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<std::optional<Credential>> decode(const Json& entry, const std::string& key) {
  if (!entry.is_object()) {
    return Error(ErrorCode::invalid, fmt::format("'auths.{}' is no object", key));
  }
  Credential credential{text_of(entry, "username"), text_of(entry, "password"), text_of(entry, "identitytoken")};
  if (const auto auth = text_of(entry, "auth"); !auth.empty()) {
    const auto pair = from_base64(auth);
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      return Error(ErrorCode::invalid, fmt::format("'auths.{}.auth' is not NAME:PASSWORD in base64", key));
    }
    credential.username = pair->substr(0, colon);
    credential.password = pair->substr(colon + 1);
    // Some versions of docker filled the password up with zeros.
    credential.password.erase(credential.password.find_last_not_of('\0') + 1);
  }
  const bool is_empty = credential.username.empty() && credential.identity_token.empty();
  return is_empty ? std::optional<Credential>() : std::optional(credential);
}

} // namespace

struct CredentialFile::State {
  Json json = Json::object();

  const Json* section(const char* name) const {
    const auto found = json.find(name);
    return found != json.end() && found->is_object() ? &*found : nullptr;
  }
};

CredentialFile::CredentialFile(std::unique_ptr<State> state) : m_state(std::move(state)) {}
CredentialFile::CredentialFile(CredentialFile&&) noexcept = default;
CredentialFile& CredentialFile::operator=(CredentialFile&&) noexcept = default;
CredentialFile::~CredentialFile() = default;

std::string normal_key(std::string_view key) {
  const auto scheme = key.find("://");
  if (scheme != std::string_view::npos) {
    key = key.substr(scheme + 3);
    key = key.substr(0, key.find('/'));
  }
  while (key.ends_with('/')) {
    key.remove_suffix(1);
  }
  const auto host = key.substr(0, key.find('/'));
  if (host == "index.docker.io" || host == "registry-1.docker.io") {
    const auto path = key.substr(host.size());
    return path == "/v1" ? "docker.io" : fmt::format("docker.io{}", path);
  }
  return std::string(key);
}

std::string docker_key(const std::string& host) { return host == "docker.io" ? "https://index.docker.io/v1/" : host; }

Result<CredentialFile> CredentialFile::parse(std::string_view text) {
  auto state = std::make_unique<State>();
  if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    state->json = Json::parse(text, nullptr, false);
  }
  if (!state->json.is_object()) {
    return Error(ErrorCode::invalid, "it is not a JSON object");
  }
  return CredentialFile(std::move(state));
}

Result<std::optional<Credential>> CredentialFile::find(const std::string& host, const std::string& repository) const {
  const auto* auths = m_state->section("auths");
  if (auths == nullptr) {
    return std::optional<Credential>();
  }
  const Json* best = nullptr;
  std::string best_key;
  for (const auto& [key, entry] : auths->items()) {
    const auto name = normal_key(key);
    const bool fits = name == host || name == repository || repository.starts_with(name + "/");
    if (fits && (best == nullptr || name.size() > normal_key(best_key).size())) {
      best = &entry;
      best_key = key;
    }
  }
  return best == nullptr ? std::optional<Credential>() : decode(*best, best_key);
}

std::string CredentialFile::helper_of(const std::string& host) const {
  if (const auto* helpers = m_state->section("credHelpers")) {
    for (const auto& [key, name] : helpers->items()) {
      if (normal_key(key) == host && name.is_string()) {
        return name.get<std::string>();
      }
    }
  }
  return text_of(m_state->json, "credsStore");
}

bool CredentialFile::has_credentials() const {
  const auto* auths = m_state->section("auths");
  const auto* helpers = m_state->section("credHelpers");
  return (auths != nullptr && !auths->empty()) || (helpers != nullptr && !helpers->empty()) ||
         !text_of(m_state->json, "credsStore").empty();
}

void CredentialFile::set(const std::string& host, const Credential& credential) {
  erase(host);
  auto& auths = m_state->json["auths"];
  if (!auths.is_object()) {
    auths = Json::object();
  }
  Json entry = Json::object();
  entry["auth"] = to_base64(fmt::format("{}:{}", credential.username, credential.password));
  if (!credential.identity_token.empty()) {
    entry["identitytoken"] = credential.identity_token;
  }
  auths[docker_key(host)] = std::move(entry);
}

bool CredentialFile::erase(const std::string& host) {
  const auto auths = m_state->json.find("auths");
  if (auths == m_state->json.end() || !auths->is_object()) {
    return false;
  }
  auto kept = Json::object();
  for (const auto& [key, entry] : auths->items()) {
    if (normal_key(key) != host) {
      kept[key] = entry;
    }
  }
  const bool was_there = kept.size() != auths->size();
  *auths = std::move(kept);
  return was_there;
}

std::string CredentialFile::to_string() const {
  return m_state->json.dump(1, '\t', false, Json::error_handler_t::replace) + "\n";
}

} // namespace sheaf::registry
