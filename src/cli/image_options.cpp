// SPDX-License-Identifier: Apache-2.0
#include "cli/image_options.hpp"

#include "app/attributes.hpp"
#include "base/quantity.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sheaf::cli {
namespace {

using Pair = std::pair<std::string, std::string>;

Error bad_value(std::string_view option, std::string_view value, std::string_view form) {
  return Error(ErrorCode::invalid, fmt::format("'--{} {}' makes no sense", option, value))
      .with_hint(fmt::format("--{} {}", option, form));
}

Result<std::vector<Pair>> pairs(const Invocation& invocation, std::string_view option, std::string_view form) {
  std::vector<Pair> result;
  for (const auto& value : invocation.values(option)) {
    const auto equals = value.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return bad_value(option, value, form);
    }
    result.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  }
  return result;
}

/// A name without a value takes it from our environment, and stands for nothing if it is not there.
Result<void> take_build_args(const Invocation& invocation, plan::ImageRequest& request) {
  for (const auto& value : invocation.values("build-arg")) {
    const auto equals = value.find('=');
    if (equals == 0 || value.empty()) {
      return bad_value("build-arg", value, "NAME=VALUE");
    }
    request.build_args[value.substr(0, equals)] =
        equals == std::string::npos ? os::environment(value) : std::optional(value.substr(equals + 1));
  }
  return {};
}

Result<plan::Network> network_of(const std::string& mode) {
  if (mode == "default" || mode == "bridge") {
    return plan::Network::standard;
  }
  if (mode == "none" || mode == "host") {
    return mode == "none" ? plan::Network::none : plan::Network::host;
  }
  return bad_value("network", mode, "default, none or host");
}

Result<void> take_allowances(const Invocation& invocation, plan::ImageRequest& request) {
  for (const auto& what : invocation.values("allow")) {
    if (what == "security.insecure") {
      request.allow_insecure = true;
    } else if (what == "network.host") {
      request.allow_host_network = true;
    } else {
      return bad_value("allow", what, "security.insecure or network.host");
    }
  }
  return {};
}

Result<plan::ImageRequest> request_of(const Invocation& invocation) {
  plan::ImageRequest request;
  SHEAF_TRY(take_build_args(invocation, request));
  SHEAF_TRY(take_allowances(invocation, request));
  SHEAF_TRY_ASSIGN(request.network, network_of(invocation.value("network").value_or("default")));
  // On the command line host stands for what it says: whoever types it allows it.
  request.allow_host_network = request.allow_host_network || request.network == plan::Network::host;
  SHEAF_TRY_ASSIGN(request.labels, pairs(invocation, "label", "NAME=VALUE"));
  request.target = invocation.value("target").value_or("");
  request.no_cache = invocation.has("no-cache");
  for (const auto& list : invocation.values("no-cache-filter")) {
    for (const auto stage : split(list, ',')) {
      request.no_cache_filter.emplace(stage);
    }
  }
  return request;
}

/// Several times, and several in a value; each once.
Result<std::vector<plan::Platform>> platforms_of(const Invocation& invocation) {
  std::vector<plan::Platform> platforms;
  for (const auto& list : invocation.values("platform")) {
    for (const auto text : split(list, ',')) {
      SHEAF_TRY_ASSIGN(auto platform, plan::Platform::parse(text));
      if (std::ranges::find(platforms, platform) == platforms.end()) {
        platforms.push_back(std::move(platform));
      }
    }
  }
  return platforms;
}

/// "id=ID,src=FILE" or "id=ID,env=VARIABLE" or "type=…"; a secret without a source is the variable of its name, or
/// else the file, as docker has it.
Result<app::Lent> secret_of(const std::string& text) {
  SHEAF_TRY_ASSIGN(const auto attributes, app::parse_attributes(text));
  app::Lent secret;
  std::string type;
  for (const auto& [name, value] : attributes) {
    if (name == "id" && value) {
      secret.id = *value;
    } else if ((name == "src" || name == "source") && value) {
      secret.path = *value;
    } else if (name == "env" && value) {
      secret.variable = *value;
    } else if (name == "type" && (value == "file" || value == "env")) {
      type = *value;
    } else {
      return bad_value("secret", text, "id=ID,src=FILE or id=ID,env=VARIABLE");
    }
  }
  if (type == "env" && secret.variable.empty()) {
    secret.variable = std::exchange(secret.path, {});
  }
  if (secret.id.empty()) {
    secret.id = secret.path.empty() ? secret.variable : secret.path.substr(secret.path.rfind('/') + 1);
  }
  if (secret.id.empty() || (!secret.path.empty() && !secret.variable.empty())) {
    return bad_value("secret", text, "id=ID,src=FILE or id=ID,env=VARIABLE");
  }
  if (secret.path.empty() && secret.variable.empty()) {
    (os::environment(secret.id) ? secret.variable : secret.path) = secret.id;
  }
  return secret;
}

/// "default" or "default=SOCKET"; without a socket that of our own agent.
app::Lent agent_of(const std::string& text) {
  const auto equals = text.find('=');
  return {text.substr(0, equals), equals == std::string::npos ? std::string() : text.substr(equals + 1),
          equals == std::string::npos ? "SSH_AUTH_SOCK" : ""};
}

Result<sandbox::ResourceLimit> limit_of(const std::string& text) {
  const auto equals = text.find('=');
  const auto numbers =
      split(equals == std::string::npos ? std::string_view() : std::string_view(text).substr(equals + 1), ':');
  const auto number = [](std::string_view digits) {
    return digits == "-1" || digits == "unlimited" ? std::optional(~std::uint64_t{0})
                                                   : to_number<std::uint64_t>(digits);
  };
  const auto soft = number(numbers.front());
  const auto hard = number(numbers.back());
  if (!soft || !hard || numbers.size() > 2 || equals == 0) {
    return bad_value("ulimit", text, "NAME=SOFT[:HARD], for example nofile=1024:4096");
  }
  return sandbox::ResourceLimit{text.substr(0, equals), *soft, *hard};
}

Result<std::uint64_t> size_of(const std::string& text) {
  const auto size = parse_size(text);
  return size ? Result<std::uint64_t>(*size) : bad_value("shm-size", text, "BYTES, or with a unit: 64m, 2g");
}

Result<std::vector<Pair>> hosts_of(const Invocation& invocation) {
  std::vector<Pair> hosts;
  for (const auto& text : invocation.values("add-host")) {
    const auto separator = text.find_first_of(":=");
    if (separator == 0 || separator == std::string::npos || separator + 1 == text.size()) {
      return bad_value("add-host", text, "HOST:IP");
    }
    auto address = text.substr(separator + 1);
    if (address.starts_with('[') && address.ends_with(']')) {
      address = address.substr(1, address.size() - 2);
    }
    hosts.emplace_back(text.substr(0, separator), address);
  }
  return hosts;
}

/// Whether one of --sbom, --provenance and --attest asks for what `sheaf push --attest` does. Everything is put, or
/// nothing.
Result<bool> wants_attestations(const Invocation& invocation) {
  bool wanted = false;
  for (const auto* option : {"sbom", "provenance"}) {
    const auto value = invocation.value(option);
    wanted =
        wanted || (value && *value != "false" && *value != "0" && value->find("disabled=true") == std::string::npos);
  }
  for (const auto& text : invocation.values("attest")) {
    SHEAF_TRY_ASSIGN(const auto attributes, app::parse_attributes(text));
    bool is_on = false;
    for (const auto& [name, value] : attributes) {
      if (name == "type" && value != "sbom" && value != "provenance") {
        return bad_value("attest", text, "type=sbom or type=provenance");
      }
      is_on = (is_on || name == "type") && !(name == "disabled" && value == "true");
    }
    wanted = wanted || is_on;
  }
  return wanted;
}

Result<void> take_attestations(const Invocation& invocation, app::ImageBuild& build) {
  SHEAF_TRY_ASSIGN(const bool wanted, wants_attestations(invocation));
  bool is_pushed = false;
  for (auto& output : build.outputs) {
    output.attest = wanted && output.kind == app::OutputRequest::Kind::registry;
    is_pushed = is_pushed || output.attest;
  }
  if (wanted && !is_pushed) {
    invocation.events->emit({EventKind::note, "options",
                             "bills of materials and provenance are put beside images that are pushed: add --push, or "
                             "use 'sheaf push --attest' later"});
  }
  return {};
}

} // namespace

Result<app::ImageBuild> image_build_of(const Invocation& invocation) {
  app::ImageBuild build;
  build.where = {invocation.operands.empty() ? "." : invocation.operands.front(), invocation.value("file")};
  SHEAF_TRY_ASSIGN(build.request, request_of(invocation));
  SHEAF_TRY_ASSIGN(build.contexts, pairs(invocation, "build-context", "NAME=FROM"));
  SHEAF_TRY_ASSIGN(build.annotations, pairs(invocation, "annotation", "NAME=VALUE"));
  SHEAF_TRY_ASSIGN(build.platforms, platforms_of(invocation));
  if (!build.platforms.empty()) {
    build.request.platform = build.platforms.front();
  }
  build.tags = invocation.values("tag");
  for (const auto& text : invocation.values("secret")) {
    SHEAF_TRY_ASSIGN(auto secret, secret_of(text));
    build.secrets.push_back(std::move(secret));
  }
  for (const auto& text : invocation.values("ssh")) {
    build.agents.push_back(agent_of(text));
  }
  SHEAF_TRY_ASSIGN(build.hosts, hosts_of(invocation));
  for (const auto& text : invocation.values("ulimit")) {
    SHEAF_TRY_ASSIGN(auto limit, limit_of(text));
    build.limits.push_back(std::move(limit));
  }
  if (const auto size = invocation.value("shm-size")) {
    SHEAF_TRY_ASSIGN(build.shared_memory, size_of(*size));
  }
  for (const auto& text : invocation.values("output")) {
    SHEAF_TRY_ASSIGN(auto output, app::parse_output(text));
    build.outputs.push_back(std::move(output));
  }
  for (const auto& text : invocation.values("cache-from")) {
    SHEAF_TRY_ASSIGN(const auto places, app::parse_cache_from(text));
    build.cache_from.insert(build.cache_from.end(), places.begin(), places.end());
  }
  for (const auto& text : invocation.values("cache-to")) {
    SHEAF_TRY_ASSIGN(const auto places, app::parse_cache_to(text));
    build.cache_to.insert(build.cache_to.end(), places.begin(), places.end());
  }
  if (invocation.has("push")) {
    build.outputs.push_back({app::OutputRequest::Kind::registry, {}, {}, {}});
  }
  SHEAF_TRY(take_attestations(invocation, build));
  build.pull = invocation.has("pull") ? app::Pull::always : app::Pull::missing;
  build.squash = invocation.has("squash");
  build.on_failure = invocation.has("shell-on-error") ? app::OnFailure::shell : app::OnFailure::report;
  return build;
}

} // namespace sheaf::cli
