// SPDX-License-Identifier: Apache-2.0
#include "sandbox/spec.hpp"

#include "sandbox/copy_spec.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::sandbox {
namespace {

using Json = nlohmann::json;

Json to_json(const BindMount& bind) {
  return {{"source", bind.source},
          {"target", bind.target},
          {"read_only", bind.access == Access::read_only},
          {"owned_by_dev", bind.owned_by_dev}};
}

Json to_json(const OverlayMount& overlay) {
  return {{"shared", overlay.shared}, {"upper", overlay.upper}, {"work", overlay.work}, {"target", overlay.target}};
}

Json to_json(const RunCommand& run) {
  return {{"title", run.title},         {"argv", run.argv}, {"environment", run.environment},
          {"directory", run.directory}, {"user", run.user}, {"interactive", run.interactive}};
}

RunCommand run_from(const Json& json) {
  RunCommand run;
  run.title = json.at("title");
  run.argv = json.at("argv").get<std::vector<std::string>>();
  run.environment = json.at("environment").get<std::vector<std::string>>();
  run.directory = json.at("directory");
  run.user = json.at("user");
  run.interactive = json.at("interactive");
  return run;
}

Json action_to_json(const SandboxSpec& spec) {
  if (const auto* commands = std::get_if<std::vector<RunCommand>>(&spec.action)) {
    Json list = Json::array();
    for (const auto& command : *commands) {
      list.push_back(to_json(command));
    }
    return {{"run", list}};
  }
  if (const auto* copy = std::get_if<CopyFiles>(&spec.action)) {
    return {{"copy", to_json(*copy)}};
  }
  return {{"mkdir", std::get<MakeDirectory>(spec.action).path}};
}

SandboxSpec spec_from(const Json& json) {
  SandboxSpec spec;
  spec.lowers = json.at("lowers").get<std::vector<std::string>>();
  spec.upper = json.at("upper");
  spec.work = json.at("work");
  spec.is_volatile = json.at("volatile");
  spec.mount_point = json.at("mount_point");
  spec.hostname = json.at("hostname");
  spec.network = json.at("network") == "none" ? Network::none : Network::host;
  if (const auto& processors = json.at("processors"); !processors.is_null()) {
    spec.processors = processors.get<unsigned>();
  }
  for (const auto& bind : json.at("binds")) {
    spec.binds.push_back({bind.at("source"), bind.at("target"),
                          bind.at("read_only").get<bool>() ? Access::read_only : Access::read_write,
                          bind.at("owned_by_dev")});
  }
  for (const auto& overlay : json.at("overlays")) {
    spec.overlays.push_back({overlay.at("shared"), overlay.at("upper"), overlay.at("work"), overlay.at("target")});
  }
  for (const auto& file : json.at("files")) {
    spec.files.push_back({file.at("path"), file.at("content"), file.at("mode")});
  }
  const auto& action = json.at("action");
  if (action.contains("run")) {
    std::vector<RunCommand> commands;
    for (const auto& command : action.at("run")) {
      commands.push_back(run_from(command));
    }
    spec.action = std::move(commands);
  } else if (action.contains("copy")) {
    spec.action = copy_from(action.at("copy"));
  } else {
    spec.action = MakeDirectory{action.at("mkdir"), {}};
  }
  return spec;
}

} // namespace

std::string serialise(const SandboxSpec& spec) {
  Json json = {{"lowers", spec.lowers},
               {"upper", spec.upper},
               {"work", spec.work},
               {"volatile", spec.is_volatile},
               {"mount_point", spec.mount_point},
               {"hostname", spec.hostname},
               {"network", spec.network == Network::none ? "none" : "host"},
               {"processors", spec.processors ? Json(*spec.processors) : Json(nullptr)},
               {"binds", Json::array()},
               {"overlays", Json::array()},
               {"files", Json::array()},
               {"action", action_to_json(spec)}};
  for (const auto& bind : spec.binds) {
    json["binds"].push_back(to_json(bind));
  }
  for (const auto& overlay : spec.overlays) {
    json["overlays"].push_back(to_json(overlay));
  }
  for (const auto& file : spec.files) {
    json["files"].push_back({{"path", file.path}, {"content", file.content}, {"mode", file.mode}});
  }
  // Environment values and paths are bytes, not always UTF-8; a lossless form is not worth a second format.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SandboxSpec> parse_spec(std::string_view json) {
  try {
    return spec_from(Json::parse(json));
  } catch (const Json::exception& error) {
    return Error(ErrorCode::internal, std::string("reading a sandbox specification: ") + error.what());
  }
}

} // namespace sheaf::sandbox
