// SPDX-License-Identifier: Apache-2.0
#include "store/step_record.hpp"

#include "store/record_json.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::store {

using Json = nlohmann::json;

std::string serialise(const StepRecord& record) {
  const Json json = {{"version", 1},
                     {"display", record.display},
                     {"content", record.content.to_string()},
                     {"tree", record.exact.to_string()},
                     {"bytes", record.bytes},
                     {"files", record.files},
                     {"milliseconds", record.milliseconds},
                     {"created", record.created}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<StepRecord> parse_step_record(std::string_view text) {
  try {
    const auto json = parse_record_json(text);
    StepRecord record;
    record.display = json.at("display");
    SHEAF_TRY_ASSIGN(record.content, Digest::parse(json.at("content").get<std::string>()));
    SHEAF_TRY_ASSIGN(record.exact, Digest::parse(json.at("tree").get<std::string>()));
    record.bytes = json.at("bytes");
    record.files = json.at("files");
    record.milliseconds = json.at("milliseconds");
    record.created = json.at("created");
    return record;
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, std::string("reading a step's record: ") + error.what());
  }
}

} // namespace sheaf::store
