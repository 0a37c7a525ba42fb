// SPDX-License-Identifier: Apache-2.0
#include "app/environment.hpp"

#include "base/digest.hpp"
#include "store/format.hpp"
#include "store/staging.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

namespace sheaf::app {
namespace {

using Json = nlohmann::json;

/// Changes whenever the meaning of a saved environment does.
constexpr int k_version = 6;

Json to_json(const Fingerprint& print) {
  if (!print.stamp) {
    return Json::array({print.path});
  }
  const auto& stamp = *print.stamp;
  return Json::array({print.path, stamp.inode, stamp.size, stamp.mtime_ns, stamp.ctime_ns});
}

bool still_holds(const Json& print) {
  const auto now = os::stamp(print.at(0).get_ref<const std::string&>());
  if (print.size() == 1) {
    return !now;
  }
  return now && *now == os::FileStamp{print.at(1), print.at(2), print.at(3), print.at(4)};
}

Json findings_of(const detect::Detection& detection) {
  Json findings = Json::array();
  for (const auto& finding : detection.findings) {
    findings.push_back({finding.layer, finding.file, finding.version, finding.calls}); // the line may move
  }
  return findings;
}

Json to_json(const Inputs& inputs) {
  Json files = Json::array();
  for (const auto& print : inputs.files) {
    files.push_back(to_json(print));
  }
  Json rules = Json::array();
  for (const auto& rule : inputs.rules) {
    rules.push_back({rule.layer, rule.glob, rule.version, rule.is_minimum, rule.calls});
  }
  Json seen = Json::array();
  for (const auto& path : inputs.detection.seen) {
    seen.push_back({path.path, path.mtime_ns});
  }
  return {{"files", files},
          {"rules", rules},
          {"seen", seen},
          {"findings", findings_of(inputs.detection)},
          {"expires", inputs.expires}};
}

bool seen_unchanged(const Json& paths, const std::string& root) {
  return std::ranges::all_of(paths, [&root](const Json& path) {
    const auto now = os::stamp(root + "/" + path.at(0).get<std::string>());
    return now && now->mtime_ns == path.at(1).get<std::int64_t>();
  });
}

/// Files come and go in a project all the time; what counts is whether another layer or version is called for.
bool detects_the_same(const Json& inputs, const std::string& root) {
  std::vector<detect::Rule> rules;
  for (const auto& rule : inputs.at("rules")) {
    rules.push_back({rule.at(0), rule.at(1), rule.at(2), rule.at(3), rule.at(4)});
  }
  const auto detection = detect::detect(root, rules);
  return detection && findings_of(*detection) == inputs.at("findings");
}

bool still_hold(const Json& inputs, const std::string& root) {
  const auto expires = inputs.at("expires").get<std::int64_t>();
  if (expires != 0 && expires <= std::time(nullptr)) {
    return false;
  }
  for (const auto& print : inputs.at("files")) {
    if (!still_holds(print)) {
      return false;
    }
  }
  return seen_unchanged(inputs.at("seen"), root) || detects_the_same(inputs, root);
}

Json to_json(const Environment& environment) {
  Json stack = Json::array();
  for (const auto& line : environment.stack) {
    stack.push_back({line.name, line.kind, line.reason, line.bytes, line.content_key, line.closure});
  }
  const auto& config = environment.config;
  return {{"project", environment.project},
          {"project_name", environment.project_name},
          {"lowers", environment.lowers},
          {"stack", stack},
          {"base_image", environment.base_image},
          {"credentials", environment.credentials},
          {"scrubbed", environment.scrubbed},
          {"mounts", environment.mounts},
          {"mounts_stay_in_project", environment.mounts_stay_in_project},
          {"environment", config.environment},
          {"user", config.user},
          {"directory", config.directory},
          {"command", config.command},
          {"entrypoint", config.entrypoint}};
}

Environment environment_from(const Json& json) {
  Environment environment;
  environment.project = json.at("project");
  environment.project_name = json.at("project_name");
  environment.lowers = json.at("lowers").get<std::vector<std::string>>();
  environment.base_image = json.at("base_image");
  environment.credentials = json.at("credentials").get<std::vector<std::string>>();
  environment.scrubbed = json.at("scrubbed").get<std::vector<std::string>>();
  environment.mounts = json.at("mounts").get<std::vector<std::string>>();
  environment.mounts_stay_in_project = json.at("mounts_stay_in_project");
  for (const auto& line : json.at("stack")) {
    environment.stack.push_back({line.at(0), line.at(1), line.at(2), line.at(3), line.at(4), line.at(5)});
  }
  environment.config.environment = json.at("environment").get<std::map<std::string, std::string>>();
  environment.config.user = json.at("user");
  environment.config.directory = json.at("directory");
  environment.config.command = json.at("command").get<std::vector<std::string>>();
  environment.config.entrypoint = json.at("entrypoint").get<std::vector<std::string>>();
  return environment;
}

} // namespace

std::vector<Fingerprint> take_fingerprints(const std::vector<std::string>& paths) {
  std::vector<Fingerprint> prints;
  prints.reserve(paths.size());
  for (const auto& path : paths) {
    prints.push_back({path, os::stamp(path)});
  }
  return prints;
}

std::string saved_path(const std::string& store_root, const std::string& project_root, const Choices& choices) {
  Sha256 hash;
  hash.field(project_root).field(user_config_folder());
  for (const auto& choice : {choices.base, choices.agents, choices.layers, choices.stack, choices.image,
                             os::environment("SHEAF_BASE"), os::environment("SHEAF_AGENTS")}) {
    hash.field(choice ? "=" + *choice : "-");
  }
  hash.field(choices.strict ? "strict" : "").field(choices.locked ? "locked" : "");
  return fmt::format("{}/plans/{}.json", store_root, hash.finish().hex());
}

Result<void> save(const std::string& path, const Environment& environment, const Inputs& inputs) {
  const Json json = {{"version", k_version},
                     {"program", SHEAF_VERSION},
                     {"boot", os::boot_id()},
                     {"inputs", to_json(inputs)},
                     {"environment", to_json(environment)}};
  return store::write_file(path.substr(0, path.rfind("/plans/")), path,
                           json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

namespace {

/// Is the tree of a layer or join there, and the record beside it?
bool is_whole(const std::string& folder) {
  const auto tree = folder + "/tree";
  return os::is_directory(tree) && (os::exists(folder + "/layer.json") || os::exists(folder + "/seal"));
}

/// Says that the trees are in use, then looks whether they are there.
bool use_trees(Environment& environment, const std::string& store_root) {
  if (!store::has_our_format(store_root) || !store::check_owner(store_root)) {
    return false; // the long way says so
  }
  auto in_use = store::InUse::open(store_root);
  if (!in_use) {
    return false;
  }
  environment.in_use = std::make_shared<store::InUse>(std::move(*in_use));
  return std::ranges::all_of(environment.lowers, [&](const std::string& tree) {
    const auto folder = tree.substr(0, tree.rfind('/'));
    return folder.starts_with(store_root + "/") && environment.in_use->add(folder.substr(store_root.size() + 1)) &&
           is_whole(folder);
  });
}

} // namespace

std::optional<Environment> load_if_current(const std::string& path) {
  const auto text = os::read_file(path);
  if (!text) {
    return std::nullopt;
  }
  try {
    const auto json = Json::parse(*text);
    if (json.at("version") != k_version || json.at("program") != SHEAF_VERSION ||
        json.at("boot") != os::boot_id()) { // after a reboot the join layers are looked at again, see store/seal.hpp
      return std::nullopt;
    }
    auto environment = environment_from(json.at("environment"));
    if (!still_hold(json.at("inputs"), environment.project)) {
      return std::nullopt;
    }
    const auto store_root = path.substr(0, path.rfind("/plans/"));
    return use_trees(environment, store_root) ? std::optional(std::move(environment)) : std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt; // written by another version, or damaged: the long way writes it anew
  }
}

} // namespace sheaf::app
