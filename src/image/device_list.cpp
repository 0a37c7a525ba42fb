// SPDX-License-Identifier: Apache-2.0
#include "image/device_list.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::image {

using Json = nlohmann::json;

std::string serialise(const std::vector<archive::Entry>& devices) {
  auto list = Json::array();
  for (const auto& device : devices) {
    // A path is bytes, JSON is UTF-8: the bytes are numbers.
    list.push_back({{"path", std::vector<unsigned char>(device.path.begin(), device.path.end())},
                    {"type", device.type == archive::EntryType::block_device ? "block" : "character"},
                    {"mode", device.mode},
                    {"uid", device.uid},
                    {"gid", device.gid},
                    {"mtime", device.mtime},
                    {"major", device.device_major},
                    {"minor", device.device_minor}});
  }
  return Json({{"version", 1}, {"devices", std::move(list)}}).dump() + "\n";
}

Result<std::vector<archive::Entry>> parse_devices(std::string_view text) {
  try {
    const auto json = Json::parse(text);
    std::vector<archive::Entry> devices;
    for (const auto& one : json.at("devices")) {
      auto& device = devices.emplace_back();
      const auto path = one.at("path").get<std::vector<unsigned char>>();
      device.path.assign(path.begin(), path.end());
      device.type = one.at("type") == "block" ? archive::EntryType::block_device : archive::EntryType::character_device;
      device.mode = one.at("mode");
      device.uid = one.at("uid");
      device.gid = one.at("gid");
      device.mtime = one.at("mtime");
      device.device_major = one.at("major");
      device.device_minor = one.at("minor");
    }
    return devices;
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, std::string("reading a layer's list of devices: ") + error.what());
  }
}

} // namespace sheaf::image
