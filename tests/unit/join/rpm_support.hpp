// SPDX-License-Identifier: Apache-2.0
#pragma once

// Package headers and rpm databases made by hand, for tests without rpm.

#include "join/rpm_header.hpp"
#include "sql/database.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <variant>

namespace sheaf::join {

using Strings = std::vector<std::string>;
using Numbers = std::vector<std::uint32_t>;

struct HeaderEntry {
  RpmTag tag;
  std::variant<std::string, Strings, Numbers> value;
};

inline std::string big_endian_bytes(std::uint32_t value) {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}

/// A header blob with these entries, in this order.
inline std::string header_of(const std::vector<HeaderEntry>& entries) {
  std::string index;
  std::string data;
  for (const auto& entry : entries) {
    std::uint32_t type = 6;
    std::size_t count = 1;
    if (const auto* strings = std::get_if<Strings>(&entry.value)) {
      type = 8;
      count = strings->size();
    } else if (const auto* numbers = std::get_if<Numbers>(&entry.value)) {
      type = 4;
      count = numbers->size();
      data.resize((data.size() + 3) / 4 * 4);
    }
    index += big_endian_bytes(static_cast<std::uint32_t>(entry.tag)) + big_endian_bytes(type) +
             big_endian_bytes(static_cast<std::uint32_t>(data.size())) +
             big_endian_bytes(static_cast<std::uint32_t>(count));
    if (const auto* text = std::get_if<std::string>(&entry.value)) {
      data += *text + '\0';
    } else if (const auto* strings = std::get_if<Strings>(&entry.value)) {
      for (const auto& string : *strings) {
        data += string + '\0';
      }
    } else {
      for (const auto number : std::get<Numbers>(entry.value)) {
        data += big_endian_bytes(number);
      }
    }
  }
  return big_endian_bytes(static_cast<std::uint32_t>(entries.size())) +
         big_endian_bytes(static_cast<std::uint32_t>(data.size())) + index + data;
}

struct PackageSketch {
  std::string name;
  std::string version = "1";
  std::string architecture = "x86_64";
  std::uint32_t installed_at = 1'700'000'000;
  std::string file = "/usr/bin/tool";
};

inline std::string header_of(const PackageSketch& package) {
  std::vector<HeaderEntry> entries = {{RpmTag::name, package.name},
                                      {RpmTag::version, package.version},
                                      {RpmTag::release, std::string("1")},
                                      {RpmTag::build_time, Numbers{1'600'000'000}},
                                      {RpmTag::provides, Strings{package.name}},
                                      {RpmTag::directory_names, Strings{"/usr/bin/"}},
                                      {RpmTag::base_names, Strings{package.file.substr(9)}},
                                      {RpmTag::install_time, Numbers{package.installed_at}},
                                      {RpmTag::install_transaction, Numbers{package.installed_at}}};
  if (!package.architecture.empty()) {
    entries.push_back({RpmTag::architecture, package.architecture});
  }
  return header_of(entries);
}

/// A database of rpm with the packages' headers and nothing in its index tables.
inline std::string rpm_database_of(const std::vector<std::string>& headers) {
  auto database = sql::Database::in_memory().value();
  EXPECT_TRUE(database.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"));
  for (const auto& header : headers) {
    auto insert = database.prepare("INSERT INTO Packages (blob) VALUES (?)").value();
    EXPECT_TRUE(insert.bind_blob(0, header).step());
  }
  return database.serialise().value();
}

inline std::string rpm_database_of(const std::vector<PackageSketch>& packages) {
  std::vector<std::string> headers;
  for (const auto& package : packages) {
    headers.push_back(header_of(package));
  }
  return rpm_database_of(headers);
}

} // namespace sheaf::join
