// SPDX-License-Identifier: Apache-2.0
#include "join/driver.hpp"

#include "join/accounts.hpp"
#include "join/alternatives.hpp"
#include "join/apk_installed.hpp"
#include "join/apk_scripts.hpp"
#include "join/apk_world.hpp"
#include "join/debconf.hpp"
#include "join/diversions.hpp"
#include "join/dpkg_status.hpp"
#include "join/extended_states.hpp"
#include "join/ld_so_cache.hpp"
#include "join/line_set.hpp"
#include "join/rpm_database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

namespace sheaf::join {

namespace {

const DpkgStatus k_dpkg_status;
const ExtendedStates k_extended_states;
const Diversions k_diversions;
const Debconf k_debconf;
const Accounts k_accounts;
const LdSoCache k_ld_so_cache;
const Alternatives k_alternatives;
const ApkInstalled k_apk_installed;
const ApkWorld k_apk_world;
const ApkScripts k_apk_scripts;
const RpmDatabase k_rpm_database;
const RpmLog k_rpm_log;
const LineSet k_line_set;

const std::array<const Driver*, 13> k_drivers = {
    &k_dpkg_status,   &k_extended_states, &k_diversions,  &k_debconf,      &k_accounts, &k_ld_so_cache, &k_alternatives,
    &k_apk_installed, &k_apk_world,       &k_apk_scripts, &k_rpm_database, &k_rpm_log,  &k_line_set};

} // namespace

std::span<const Driver* const> drivers() { return k_drivers; }

const Driver* driver_for(std::string_view file) {
  const auto* found = std::find_if(k_drivers.begin(), k_drivers.end(), [&](auto driver) { return driver->owns(file); });
  return found == k_drivers.end() ? nullptr : *found;
}

void Driver::order(std::string_view /*file*/, Records& records, std::size_t added_from) const {
  std::sort(records.begin() + static_cast<std::ptrdiff_t>(added_from), records.end(),
            [](const Record& a, const Record& b) { return a.key < b.key; });
}

bool Driver::same(std::string_view /*file*/, std::string_view a, std::string_view b) const { return a == b; }

std::optional<Reconciled> Driver::reconcile(const Sides& /*sides*/) const { return std::nullopt; }

void Driver::settle(FileMerge& /*merge*/) const {}

std::string Driver::explain(const Conflict& conflict) const {
  return fmt::format("{} and {} say different things of '{}' in '/{}'", layer_text(conflict.layer_a),
                     layer_text(conflict.layer_b), conflict.key, conflict.file);
}

std::string Driver::other_remedy(const Conflict& conflict) const {
  return fmt::format("let only one of the two layers change '{}' in '/{}'", conflict.key, conflict.file);
}

FileAttributes Driver::attributes(std::string_view /*file*/) const { return {}; }

Links Driver::links(std::string_view /*file*/, const Records& /*records*/) const { return {}; }

std::string Driver::state_link(std::string_view /*file*/) const { return {}; }

std::string Driver::with_state_link(std::string text, std::string_view /*target*/) const { return text; }

Conflict with_texts(const Driver& driver, Conflict conflict) {
  conflict.message = driver.explain(conflict);
  conflict.remedies.push_back(conflict.layer_a.empty()
                                  ? fmt::format("build layer '{}' again on this base", conflict.layer_b)
                                  : fmt::format("build layer '{1}' on top of '{0}': add '{0}' to the 'needs' of '{1}'",
                                                conflict.layer_a, conflict.layer_b));
  conflict.remedies.push_back(driver.other_remedy(conflict));
  return conflict;
}

std::string layer_text(std::string_view layer) { return layer.empty() ? "the base" : fmt::format("layer '{}'", layer); }

Error corrupt_at(std::string_view file, std::string_view text, std::size_t offset, std::string_view what) {
  const auto before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  return {ErrorCode::corrupt, fmt::format("'/{}': line {}: {}", file, line, what)};
}

void number_repeated_keys(Records& records) {
  std::unordered_map<std::string, std::size_t> count;
  count.reserve(records.size());
  for (auto& record : records) {
    if (const auto number = ++count[record.key]; number > 1) {
      record.key += fmt::format("\n{}", number);
    }
  }
}

Result<Records> with_unique_keys(std::string_view file, Records records) {
  std::unordered_set<std::string_view> seen;
  seen.reserve(records.size());
  for (const auto& record : records) {
    if (!seen.insert(record.key).second) {
      return Error(ErrorCode::corrupt, fmt::format("'/{}': '{}' is listed twice", file, record.key));
    }
  }
  return records;
}

} // namespace sheaf::join
