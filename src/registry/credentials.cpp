// SPDX-License-Identifier: Apache-2.0
#include "registry/credentials.hpp"

#include "base/text.hpp"
#include "os/capture.hpp"
#include "os/file.hpp"
#include "registry/credential_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace sheaf::registry {
namespace {

using Json = nlohmann::json;
/// A helper's user name that says: the secret is an identity token.
constexpr std::string_view k_token_user = "<token>";

Result<std::optional<CredentialFile>> load(const std::string& path) {
  const auto doing = fmt::format("reading credentials in '{}'", path);
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(path).context(doing));
  if (!text) {
    return std::optional<CredentialFile>();
  }
  SHEAF_TRY_ASSIGN(auto file, CredentialFile::parse(*text).context(doing));
  return std::optional(std::move(file));
}

/// A link, as people have who keep their settings elsewhere, stays one.
Result<void> store(const std::string& path, const CredentialFile& file) {
  const auto doing = fmt::format("writing credentials to '{}'", path);
  const auto target = os::real_path(path);
  const auto folder = path.substr(0, path.rfind('/'));
  SHEAF_TRY(os::make_directories(folder.empty() ? "/" : folder, 0700).context(doing));
  return os::write_file(target ? *target : path, file.to_string(), os::Durable::yes, 0600).context(doing);
}

// --- docker-credential-NAME

std::string program_of(const std::string& helper) { return "docker-credential-" + helper; }

Result<os::Captured> run_helper(const std::string& helper, const std::string& verb, const std::string& input) {
  const bool is_name = !helper.empty() && std::ranges::all_of(helper, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!is_name) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is not the name of a credential helper", helper));
  }
  os::SpawnOptions options;
  options.argv = {program_of(helper), verb};
  return os::capture(std::move(options), {}, input)
      .context(fmt::format("running '{} {}'", program_of(helper), verb))
      .hint(fmt::format("install it, or take '{}' out of docker's config.json", helper));
}

Error helper_failed(const std::string& helper, const std::string& verb, const os::Captured& ran) {
  const auto said = trim(ran.output.empty() ? ran.errors : ran.output);
  return {ErrorCode::denied, fmt::format("'{} {}' failed: {}", program_of(helper), verb,
                                         said.empty() ? ran.status.to_string() : std::string(said))};
}

/// Helpers end with 1 and this text if they know nothing; there is no other sign.
bool knows_nothing(const os::Captured& ran) { return ran.output.find("credentials not found") != std::string::npos; }

Result<std::optional<Credential>> ask_helper(const std::string& helper, const std::string& host) {
  SHEAF_TRY_ASSIGN(const auto ran, run_helper(helper, "get", docker_key(host)));
  if (!ran.status.ok()) {
    return knows_nothing(ran) ? Result<std::optional<Credential>>(std::nullopt) : helper_failed(helper, "get", ran);
  }
  const auto json = Json::parse(ran.output, nullptr, false);
  const auto text = [&](const char* key) {
    const bool is_text = json.is_object() && json.contains(key) && json[key].is_string();
    return is_text ? json[key].get<std::string>() : std::string();
  };
  const auto user = text("Username");
  const auto secret = text("Secret");
  if (user.empty() || secret.empty()) {
    return Error(ErrorCode::invalid, fmt::format("'{} get' gave no Username or no Secret", program_of(helper)));
  }
  return std::optional(user == k_token_user ? Credential{{}, {}, secret} : Credential{user, secret, {}});
}

Result<void> tell_helper(const std::string& helper, const std::string& host, const Credential& credential) {
  const bool is_token = !credential.identity_token.empty();
  const Json json = {{"ServerURL", docker_key(host)},
                     {"Username", is_token ? std::string(k_token_user) : credential.username},
                     {"Secret", is_token ? credential.identity_token : credential.password}};
  SHEAF_TRY_ASSIGN(const auto ran,
                   run_helper(helper, "store", json.dump(-1, ' ', false, Json::error_handler_t::replace)));
  return ran.status.ok() ? Result<void>() : helper_failed(helper, "store", ran);
}

} // namespace

CredentialPlaces CredentialPlaces::of_environment() {
  CredentialPlaces places;
  places.named = os::environment("REGISTRY_AUTH_FILE").value_or("");
  if (const auto runtime = os::environment("XDG_RUNTIME_DIR")) {
    places.of_session = *runtime + "/containers/auth.json";
  }
  const auto home = os::environment("HOME");
  const auto config = os::environment("XDG_CONFIG_HOME");
  if (home || config) {
    places.of_containers = config.value_or(home.value_or("") + "/.config") + "/containers/auth.json";
  }
  const auto docker = os::environment("DOCKER_CONFIG");
  if (home || docker) {
    places.of_docker = docker.value_or(home.value_or("") + "/.docker") + "/config.json";
  }
  return places;
}

std::vector<std::string> CredentialPlaces::in_order() const {
  std::vector<std::string> places =
      named.empty() ? std::vector{of_session, of_containers, of_docker} : std::vector{named};
  std::erase(places, "");
  return places;
}

Result<std::optional<Credential>> Credentials::find(const std::string& host, const std::string& repository) const {
  for (const auto& path : m_places.in_order()) {
    SHEAF_TRY_ASSIGN(const auto file, load(path));
    if (!file) {
      continue;
    }
    if (const auto helper = file->helper_of(host); !helper.empty()) {
      SHEAF_TRY_ASSIGN(auto credential, ask_helper(helper, host));
      if (credential) {
        return credential;
      }
    }
    SHEAF_TRY_ASSIGN(auto credential,
                     file->find(host, repository).context(fmt::format("reading credentials in '{}'", path)));
    if (credential) {
      return credential;
    }
  }
  return std::optional<Credential>();
}

std::string Credentials::place_to_save() const {
  const auto places = m_places.in_order();
  for (const auto& path : places) {
    const auto file = load(path);
    if (file && *file && (*file)->has_credentials()) {
      return path;
    }
  }
  return places.empty() ? std::string() : places.back();
}

Result<std::string> Credentials::save(const std::string& host, const Credential& credential) const {
  const auto path = place_to_save();
  if (path.empty()) {
    return Error(ErrorCode::not_found, "there is no place to keep credentials").with_hint("set HOME or DOCKER_CONFIG");
  }
  SHEAF_TRY_ASSIGN(auto file, load(path));
  if (!file) {
    SHEAF_TRY_ASSIGN(file, CredentialFile::parse(""));
  }
  if (const auto helper = file->helper_of(host); !helper.empty()) {
    SHEAF_TRY(tell_helper(helper, host, credential));
    return program_of(helper);
  }
  file->set(host, credential);
  SHEAF_TRY(store(path, *file));
  return path;
}

Result<std::vector<std::string>> Credentials::remove(const std::string& host) const {
  std::vector<std::string> had;
  for (const auto& path : m_places.in_order()) {
    SHEAF_TRY_ASSIGN(auto file, load(path));
    if (!file) {
      continue;
    }
    if (const auto helper = file->helper_of(host); !helper.empty()) {
      SHEAF_TRY_ASSIGN(const auto known, ask_helper(helper, host));
      SHEAF_TRY_ASSIGN(const auto ran, run_helper(helper, "erase", docker_key(host)));
      if (!ran.status.ok() && !knows_nothing(ran)) {
        return helper_failed(helper, "erase", ran);
      }
      if (known) {
        had.push_back(program_of(helper));
      }
    }
    if (file->erase(host)) {
      SHEAF_TRY(store(path, *file));
      had.push_back(path);
    }
  }
  return had;
}

} // namespace sheaf::registry
