// SPDX-License-Identifier: Apache-2.0
#include "store/gc.hpp"

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "ui/date.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {
    Option{"dry-run", 'n', "", "say what would go, and leave it"},
    Option{"keep-last", 0, "N", "keep the newest N builds of each layer"},
    Option{"older-than", 0, "AGE", "keep what was used since: 12h, 7d, 2w; 0 keeps nothing for that"},
    Option{"max-size", 0, "SIZE", "take away only what brings the store to this size: 500m, 20g"},
    k_json_option,
};
constexpr std::array<std::string_view, 4> k_examples = {"sheaf gc --dry-run", "sheaf gc", "sheaf gc --max-size 20g",
                                                        "sheaf gc --keep-last 1 --older-than 7d"};

/// What is done without being told.
constexpr unsigned k_default_keep = 2;
constexpr std::int64_t k_default_age = 14 * 24 * 3600;

Error bad(std::string_view option, const std::string& value, std::string_view form) {
  return {ErrorCode::invalid, fmt::format("'--{} {}' is not {}", option, value, form)};
}

Result<store::GcPolicy> policy_of(const Invocation& invocation) {
  store::GcPolicy policy;
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  if (const auto text = invocation.value("keep-last")) {
    policy.keep_last = to_number<unsigned>(*text);
    if (!policy.keep_last) {
      return bad("keep-last", *text, "a number of builds");
    }
  }
  if (const auto text = invocation.value("older-than")) {
    const auto age = parse_age(*text);
    if (!age) {
      return bad("older-than", *text, "hours, days or weeks: 12h, 7d, 2w, or 0");
    }
    policy.used_since = now - *age + (*age == 0 ? 1 : 0);
  }
  if (const auto text = invocation.value("max-size")) {
    policy.max_size = parse_size(*text);
    if (!policy.max_size) {
      return bad("max-size", *text, "a size: 500m, 20g");
    }
  }
  if (!policy.keep_last && !policy.used_since && !policy.max_size) {
    policy.keep_last = k_default_keep;
    policy.used_since = now - k_default_age;
  }
  return policy;
}

Json to_json(const store::GcReport& report, bool is_dry_run) {
  Json removed = Json::array();
  for (const auto& part : report.removed) {
    removed.push_back({{"kind", store::to_string(part.kind)},
                       {"part", part.part},
                       {"name", part.name},
                       {"last_used", part.last_used},
                       {"bytes", part.bytes}});
  }
  Json skipped = Json::array();
  for (const auto& part : report.skipped) {
    skipped.push_back({{"part", part.part}, {"why", part.why}});
  }
  const auto kept = [&report](store::Fate fate) {
    const auto found = report.kept.find(fate);
    return found != report.kept.end() ? found->second : 0;
  };
  return {{"dry_run", is_dry_run},
          {"removed", removed},
          {"skipped", skipped},
          {"freed_bytes", report.freed},
          {"kept",
           {{"needed", kept(store::Fate::needed)},
            {"in_use", kept(store::Fate::in_use)},
            {"spared", kept(store::Fate::spared)}}},
          {"too_large_bytes", report.too_large ? Json(*report.too_large) : Json(nullptr)}};
}

std::string to_text(const store::GcReport& report, bool is_dry_run) {
  ui::Table table({"KIND", "NAME", "LAST USED", "FREED"});
  std::size_t records = 0;
  for (const auto& part : report.removed) {
    if (part.kind == store::PartKind::record) {
      ++records;
    } else {
      table.add(
          {std::string(store::to_string(part.kind)), part.name, ui::date(part.last_used), human_bytes(part.bytes)});
    }
  }
  const auto shown = report.removed.size() - records;
  std::string text = shown > 0 ? table.to_string() : "";
  const auto more = records > 0 ? fmt::format(" and {} small records", records) : "";
  text += shown + records == 0 ? "nothing to take away\n"
                               : fmt::format("{} {} in {} parts{}\n", human_bytes(report.freed),
                                             is_dry_run ? "would be freed" : "freed", shown, more);
  return text;
}

Result<int> gc(Invocation& invocation) {
  store::GcOptions options;
  SHEAF_TRY_ASSIGN(options.policy, policy_of(invocation));
  options.dry_run = invocation.has("dry-run");
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto report,
                   store::collect_garbage(store, options, invocation.stop()).context("collecting garbage"));
  Invocation::print(invocation.json()
                        ? to_json(report, options.dry_run).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                        : to_text(report, options.dry_run));
  for (const auto& part : report.skipped) {
    invocation.events->emit({EventKind::warning, "", fmt::format("'{}' stays: {}", part.part, part.why)});
  }
  if (report.too_large) {
    invocation.events->emit({EventKind::warning, "",
                             fmt::format("the store still takes {}: the rest is needed by images, in use or spared",
                                         human_bytes(*report.too_large))});
  }
  return 0;
}

} // namespace

const Command k_gc = {
    "gc",
    "take away what nothing needs any more",
    "Nothing goes that an image with a name is made of, or that a running sheaf uses: builds and environments can run "
    "meanwhile. Of the rest the newest builds (--keep-last) and what was used lately (--older-than) stay, and with "
    "--max-size only as much goes as has to, what was used least lately first. Without any of the three it is "
    "--keep-last 2 --older-than 14d. With --keep-last alone only layers go. What is taken away is built, pulled or "
    "downloaded again when it is needed.",
    {"", 0, 0},
    k_options,
    k_examples,
    gc};

} // namespace sheaf::cli
