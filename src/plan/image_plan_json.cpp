// SPDX-License-Identifier: Apache-2.0
#include "plan/image_plan.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sheaf::plan {
namespace {

/// Keeps the order in which fields are added, which is that of reading.
using Json = nlohmann::ordered_json;

class PlanWriter {
public:
  explicit PlanWriter(const ImagePlan& plan) : m_plan(plan) {}

  Json plan() const {
    auto stages = Json::array();
    for (const auto& one : m_plan.stages) {
      stages.push_back(stage(one));
    }
    return {{"target", m_plan.stages.at(m_plan.target).name}, {"stages", stages}};
  }

private:
  Json stage(const StagePlan& stage) const {
    Json json = {{"name", stage.name}, {"from", source(stage.base)}, {"platform", stage.platform.to_string()}};
    auto& needs = json["needs"] = Json::array();
    for (const auto need : stage.needs) {
      needs.push_back(m_plan.stages.at(need).name);
    }
    if (stage.no_cache) {
      json["no_cache"] = true;
    }
    auto& steps = json["steps"] = Json::array();
    for (const auto& one : stage.steps) {
      Json entry = {{"instruction", one.display}, {"line", one.line}};
      std::visit([&](const auto& action) { add(entry, action); }, one.action);
      steps.push_back(std::move(entry));
    }
    json["image"] = Json::parse(oci::serialise(stage.image));
    return json;
  }

  Json source(const Source& source) const {
    switch (source.kind) {
    case Source::Kind::context:
      return {{"context", "."}};
    case Source::Kind::named_context:
      return {{"context", source.name}};
    case Source::Kind::stage:
      return {{"stage", m_plan.stages.at(source.stage).name}};
    case Source::Kind::image:
      return {{"image", source.name}};
    case Source::Kind::nothing:
      break;
    }
    return "scratch";
  }

  static void put(Json& json, const char* key, const std::string& value) {
    if (!value.empty()) {
      json[key] = value;
    }
  }
  static void put_if(Json& json, const char* key, bool value) {
    if (value) {
      json[key] = true;
    }
  }
  static void put_owner(Json& json, unsigned uid, unsigned gid, unsigned mode) {
    json["owner"] = fmt::format("{}:{}", uid, gid);
    json["mode"] = fmt::format("{:04o}", mode);
  }

  // --- steps

  void add(Json& entry, const RunStep& run) const {
    Json json = Json::object();
    if (run.script) {
      json["script"] = *run.script;
    } else {
      json["command"] = run.argv;
    }
    auto& environment = json["environment"] = Json::array();
    for (const auto& [name, value] : run.environment) {
      environment.push_back(fmt::format("{}={}", name, value));
    }
    if (!run.not_in_key.empty()) {
      json["not_in_key"] = run.not_in_key;
    }
    json["directory"] = run.directory;
    put(json, "user", run.user);
    for (const auto& one : run.mounts) {
      json["mounts"].push_back(mount(one));
    }
    if (run.network != Network::standard) {
      json["network"] = run.network == Network::none ? "none" : "host";
    }
    put_if(json, "insecure", run.security == Security::insecure);
    entry["run"] = std::move(json);
  }

  void add(Json& entry, const CopyStep& copy) const {
    Json json = {{"from", source(copy.from)}};
    auto& sources = json["sources"] = Json::array();
    for (const auto& one : copy.sources) {
      std::visit([&](const auto& what) { sources.push_back(described(what)); }, one);
    }
    json["to"] = copy.destination;
    put(json, "owner", copy.owner);
    put(json, "mode", copy.mode);
    if (!copy.excludes.empty()) {
      json["excludes"] = copy.excludes;
    }
    json["unpack"] = copy.unpack == Unpack::never    ? "never"
                     : copy.unpack == Unpack::always ? "always"
                                                     : "local archives";
    put_if(json, "link", copy.link);
    put_if(json, "parents", copy.parents);
    entry["copy"] = std::move(json);
  }

  static void add(Json& entry, const MakeDirectoryStep& directory) {
    entry["make_directory"] = {{"path", directory.path}};
    put(entry["make_directory"], "user", directory.user);
  }
  static void add(Json& entry, const SnapshotStep& snapshot) { entry["snapshot"] = {{"path", snapshot.path}}; }

  static Json described(const PathSource& source) { return {{"path", source.path}}; }
  static Json described(const InlineSource& source) { return {{"name", source.name}, {"content", source.content}}; }
  static Json described(const HttpSource& source) {
    Json json = {{"url", source.url}};
    put(json, "checksum", source.checksum);
    return json;
  }
  static Json described(const GitSource& source) {
    Json json = {{"repository", source.url}};
    put(json, "ref", source.ref);
    put(json, "folder", source.folder);
    put(json, "checksum", source.checksum);
    put_if(json, "keep_git_directory", source.keep_git_directory);
    return json;
  }

  // --- mounts

  Json mount(const Mount& mount) const {
    auto json = std::visit([this](const auto& what) { return mounted(what); }, mount.what);
    put(json, "target", mount.target);
    return json;
  }

  Json mounted(const BindMountSource& bind) const {
    Json json = {{"type", "bind"}, {"from", source(bind.from)}, {"path", bind.path}};
    put_if(json, "writable", bind.writable);
    return json;
  }
  Json mounted(const CacheMount& cache) const {
    Json json = {{"type", "cache"}, {"id", cache.id}};
    if (cache.from.kind != Source::Kind::nothing) {
      json["from"] = source(cache.from);
      json["path"] = cache.path;
    }
    json["sharing"] = cache.sharing == CacheMount::Sharing::shared   ? "shared"
                      : cache.sharing == CacheMount::Sharing::locked ? "locked"
                                                                     : "private";
    put_if(json, "read_only", cache.read_only);
    put_owner(json, cache.uid, cache.gid, cache.mode);
    return json;
  }
  static Json mounted(const TmpfsMount& tmpfs) {
    Json json = {{"type", "tmpfs"}};
    if (tmpfs.size) {
      json["bytes"] = *tmpfs.size;
    }
    return json;
  }
  static Json mounted(const SecretMount& secret) {
    Json json = {{"type", "secret"}, {"id", secret.id}};
    put_if(json, "required", secret.required);
    put(json, "variable", secret.environment);
    put_owner(json, secret.uid, secret.gid, secret.mode);
    return json;
  }
  static Json mounted(const SshMount& ssh) {
    Json json = {{"type", "ssh"}, {"id", ssh.id}};
    put_if(json, "required", ssh.required);
    put_owner(json, ssh.uid, ssh.gid, ssh.mode);
    return json;
  }

  const ImagePlan& m_plan;
};

} // namespace

std::string to_json(const ImagePlan& plan) {
  return PlanWriter(plan).plan().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace sheaf::plan
