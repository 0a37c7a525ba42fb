// SPDX-License-Identifier: Apache-2.0
#include "oci/root_fs.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace sheaf::oci {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t k_day = 86400;
constexpr std::int64_t k_hour = 3600;
constexpr std::int64_t k_minute = 60;

/// As many lines with a layer as there are layers: missing ones come first, as what a base brought; those too many lose
/// their layer, from the beginning.
std::vector<History> fit(std::vector<History> history, std::size_t layers) {
  const auto with_layer = [](const History& line) { return !line.empty_layer; };
  auto count = static_cast<std::size_t>(std::ranges::count_if(history, with_layer));
  for (auto& line : history) {
    if (count > layers && with_layer(line)) {
      line.empty_layer = true;
      --count;
    }
  }
  const History unknown{"layer of the base", "", false};
  history.insert(history.begin(), layers - count, unknown);
  return history;
}

/// A number of `digits` digits at `at`.
std::optional<int> number(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  if (at + digits > text.size()) {
    return std::nullopt;
  }
  const auto* end = text.data() + at + digits;
  const auto read = std::from_chars(text.data() + at, end, value);
  return read.ec == std::errc() && read.ptr == end && value >= 0 ? std::optional(value) : std::nullopt;
}

/// "Z" or "+01:00", as seconds.
std::optional<std::int64_t> offset_of(std::string_view text) {
  if (text == "Z" || text == "z") {
    return 0;
  }
  constexpr std::string_view k_shape = "+00:00";
  const auto hours = number(text, 1, 2);
  const auto minutes = number(text, 4, 2);
  if (text.size() != k_shape.size() || (text[0] != '+' && text[0] != '-') || text[3] != ':' || !hours || !minutes) {
    return std::nullopt;
  }
  const auto seconds = *hours * k_hour + *minutes * k_minute;
  return text[0] == '+' ? seconds : -seconds;
}

Result<std::vector<Digest>> diff_ids_of(const Json& document) {
  const auto root = document.find("rootfs");
  if (root == document.end() || !root->is_object() || !root->contains("diff_ids")) {
    return Error(ErrorCode::corrupt, "an image's configuration has no 'rootfs.diff_ids'");
  }
  const auto& list = (*root)["diff_ids"];
  std::vector<Digest> digests;
  if (list.is_null()) { // as Go writes an empty list
    return digests;
  }
  if (!list.is_array()) {
    return Error(ErrorCode::corrupt, "'rootfs.diff_ids' is not a list");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto digest = list[i].is_string() ? Digest::parse(list[i].get<std::string>()) : Result<Digest>(Digest());
    if (!digest || *digest == Digest()) {
      return Error(ErrorCode::corrupt, fmt::format("'rootfs.diff_ids[{}]' is not a digest", i));
    }
    digests.push_back(*digest);
  }
  return digests;
}

} // namespace

std::string serialise(const Image& image, const RootFs& root) {
  auto complete = image;
  complete.history = fit(image.history, root.diff_ids.size());
  auto json = Json::parse(serialise(complete));
  json["created"] = format_time(root.created);
  for (auto& line : json["history"]) {
    line["created"] = format_time(root.created);
  }
  auto ids = Json::array();
  for (const auto& id : root.diff_ids) {
    ids.push_back(id.to_string());
  }
  json["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(ids)}};
  return json.dump();
}

Result<RootFs> parse_root_fs(std::string_view json) {
  const auto document = Json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return Error(ErrorCode::corrupt, "an image's configuration is not a JSON object");
  }
  RootFs root;
  if (const auto created = document.find("created"); created != document.end() && created->is_string()) {
    root.created = parse_time(created->get<std::string>()).value_or(0);
  }
  SHEAF_TRY_ASSIGN(root.diff_ids, diff_ids_of(document));
  return root;
}

std::string format_time(std::int64_t seconds) {
  const auto days = seconds >= 0 ? seconds / k_day : -((-seconds + k_day - 1) / k_day);
  const auto rest = seconds - days * k_day;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / k_hour,
                     rest % k_hour / k_minute, rest % k_minute);
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  constexpr std::string_view k_shape = "0000-00-00T00:00:00";
  if (text.size() <= k_shape.size()) {
    return std::nullopt;
  }
  for (const auto at : {4U, 7U, 10U, 13U, 16U}) { // where the shape has no digit
    if (text[at] != k_shape[at]) {
      return std::nullopt;
    }
  }
  const auto year = number(text, 0, 4);
  const auto month = number(text, 5, 2);
  const auto day = number(text, 8, 2);
  const auto hour = number(text, 11, 2);
  const auto minute = number(text, 14, 2);
  const auto second = number(text, 17, 2);
  auto rest = text.substr(k_shape.size());
  if (rest.starts_with('.')) {
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  }
  const auto offset = offset_of(rest);
  if (!year || !month || !day || !hour || !minute || !second || !offset) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * k_day + *hour * k_hour + *minute * k_minute + *second - *offset;
}

} // namespace sheaf::oci
