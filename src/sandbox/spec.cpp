// SPDX-License-Identifier: Apache-2.0
#include "sandbox/spec.hpp"

#include "sandbox/copy_spec.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::sandbox {
namespace {

// CBOR takes strings as they are; JSON's text would have to be UTF-8, which paths and variables need not be.
using Json = nlohmann::json;

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::optional<T> optional_from(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<T>(json.get<T>());
}

Json to_json(const BindMount& bind) {
  return {{"source", bind.source},
          {"target", bind.target},
          {"read_only", bind.access == Access::read_only},
          {"owned_by_dev", bind.owned_by_dev}};
}

Json to_json(const OverlayMount& overlay) {
  return {{"shared", overlay.shared}, {"upper", overlay.upper}, {"work", overlay.work}, {"target", overlay.target}};
}

Json to_json(const TreeMount& tree) {
  return {{"lowers", tree.lowers}, {"path", tree.path}, {"target", tree.target},
          {"upper", tree.upper},   {"work", tree.work}, {"owned_by_root", tree.owned_by_root}};
}

Json to_json(const TmpfsMount& memory) { return {{"target", memory.target}, {"size", optional_json(memory.size)}}; }

Json to_json(const SecretFile& secret) {
  return {{"target", secret.target},
          {"content", secret.content},
          {"uid", secret.uid},
          {"gid", secret.gid},
          {"mode", secret.mode}};
}

Json to_json(const NewFile& file) { return {{"path", file.path}, {"content", file.content}, {"mode", file.mode}}; }

Json to_json(const ResourceLimit& limit) { return {{"name", limit.name}, {"soft", limit.soft}, {"hard", limit.hard}}; }

Json to_json(const RunCommand& run);

template <class T>
Json list_json(const std::vector<T>& values) {
  Json list = Json::array();
  for (const auto& value : values) {
    list.push_back(to_json(value));
  }
  return list;
}

Json to_json(const RunCommand& run) {
  return {{"title", run.title},
          {"argv", run.argv},
          {"directory", run.directory},
          {"environment", run.environment},
          {"user", run.user},
          {"limits", list_json(run.limits)},
          {"only_home", run.only_home},
          {"privileged", run.is_privileged},
          {"interactive", run.interactive}};
}

BindMount bind_from(const Json& json) {
  return {json.at("source"), json.at("target"),
          json.at("read_only").get<bool>() ? Access::read_only : Access::read_write, json.at("owned_by_dev")};
}

TreeMount tree_from(const Json& json) {
  return {json.at("lowers").get<std::vector<std::string>>(),
          json.at("path"),
          json.at("target"),
          json.at("upper"),
          json.at("work"),
          json.at("owned_by_root")};
}

RunCommand run_from(const Json& json) {
  RunCommand run;
  run.title = json.at("title");
  run.argv = json.at("argv").get<std::vector<std::string>>();
  run.environment = json.at("environment").get<std::vector<std::string>>();
  run.directory = json.at("directory");
  run.user = json.at("user");
  for (const auto& limit : json.at("limits")) {
    run.limits.push_back({limit.at("name"), limit.at("soft"), limit.at("hard")});
  }
  run.only_home = json.at("only_home");
  run.is_privileged = json.at("privileged");
  run.interactive = json.at("interactive");
  return run;
}

Json action_to_json(const SandboxSpec& spec) {
  if (const auto* commands = std::get_if<std::vector<RunCommand>>(&spec.action)) {
    return {{"run", list_json(*commands)}};
  }
  if (const auto* copy = std::get_if<CopyFiles>(&spec.action)) {
    return {{"copy", to_json(*copy)}};
  }
  const auto& directory = std::get<MakeDirectory>(spec.action);
  return {{"mkdir", directory.path}, {"owner", directory.owner}};
}

Result<void> take_action(SandboxSpec& spec, const Json& action) {
  if (action.contains("run")) {
    std::vector<RunCommand> commands;
    for (const auto& command : action.at("run")) {
      commands.push_back(run_from(command));
    }
    spec.action = std::move(commands);
  } else if (action.contains("copy")) {
    spec.action = copy_from(action.at("copy"));
  } else {
    spec.action = MakeDirectory{action.at("mkdir"), action.at("owner")};
  }
  return {};
}

void take_mounts(SandboxSpec& spec, const Json& json) {
  for (const auto& bind : json.at("binds")) {
    spec.binds.push_back(bind_from(bind));
  }
  for (const auto& overlay : json.at("overlays")) {
    spec.overlays.push_back({overlay.at("shared"), overlay.at("upper"), overlay.at("work"), overlay.at("target")});
  }
  for (const auto& tree : json.at("trees")) {
    spec.trees.push_back(tree_from(tree));
  }
  for (const auto& memory : json.at("memory")) {
    spec.memory.push_back({memory.at("target"), optional_from<std::uint64_t>(memory.at("size"))});
  }
  for (const auto& secret : json.at("secrets")) {
    spec.secrets.push_back(
        {secret.at("target"), secret.at("content"), secret.at("uid"), secret.at("gid"), secret.at("mode")});
  }
  for (const auto& file : json.at("files")) {
    spec.files.push_back({file.at("path"), file.at("content"), file.at("mode")});
  }
}

Result<SandboxSpec> spec_from(const Json& json) {
  SandboxSpec spec;
  spec.lowers = json.at("lowers").get<std::vector<std::string>>();
  spec.upper = json.at("upper");
  spec.work = json.at("work");
  spec.is_volatile = json.at("volatile");
  spec.mount_point = json.at("mount_point");
  spec.shared_memory = json.at("shared_memory");
  spec.keeps_kernel_folders = json.at("keeps_kernel_folders");
  spec.hostname = json.at("hostname");
  spec.network = json.at("network") == "none" ? Network::none : Network::host;
  spec.processors = optional_from<unsigned>(json.at("processors"));
  take_mounts(spec, json);
  SHEAF_TRY(take_action(spec, json.at("action")));
  return spec;
}

} // namespace

std::string serialise(const SandboxSpec& spec) {
  const Json json = {{"lowers", spec.lowers},
                     {"upper", spec.upper},
                     {"work", spec.work},
                     {"volatile", spec.is_volatile},
                     {"mount_point", spec.mount_point},
                     {"binds", list_json(spec.binds)},
                     {"overlays", list_json(spec.overlays)},
                     {"trees", list_json(spec.trees)},
                     {"memory", list_json(spec.memory)},
                     {"secrets", list_json(spec.secrets)},
                     {"files", list_json(spec.files)},
                     {"shared_memory", spec.shared_memory},
                     {"keeps_kernel_folders", spec.keeps_kernel_folders},
                     {"hostname", spec.hostname},
                     {"network", spec.network == Network::none ? "none" : "host"},
                     {"processors", optional_json(spec.processors)},
                     {"action", action_to_json(spec)}};
  std::string bytes;
  Json::to_cbor(json, bytes);
  return bytes;
}

Result<SandboxSpec> parse_spec(std::string_view bytes) {
  try {
    return spec_from(Json::from_cbor(bytes));
  } catch (const Json::exception& error) {
    return Error(ErrorCode::internal, std::string("reading a sandbox specification: ") + error.what());
  }
}

} // namespace sheaf::sandbox
