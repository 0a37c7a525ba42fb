// SPDX-License-Identifier: Apache-2.0
#pragma once

// Joins files given as texts: layers are built on one base and the join of their facts is what is looked at.

#include "join/extract.hpp"
#include "join/join.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sheaf::join {

/// Root-relative path -> text.
using Files = std::map<std::string, std::string, std::less<>>;

inline std::optional<std::string> text_of(const Files& files, std::string_view file) {
  const auto found = files.find(file);
  return found == files.end() ? std::nullopt : std::optional(found->second);
}

/// The facts of a layer that was built on `parent` and left `upper`; files that `upper` does not name are unchanged.
inline Facts facts_of(const Files& parent, const Files& upper) {
  Facts facts;
  for (const auto& [file, text] : upper) {
    const auto* driver = driver_for(file);
    EXPECT_NE(driver, nullptr) << file;
    auto changes = extract(*driver, file, text_of(parent, file), text);
    EXPECT_TRUE(changes) << changes.error().render();
    std::move(changes->begin(), changes->end(), std::back_inserter(facts.changes));
  }
  return facts;
}

struct NamedFacts {
  std::string name;
  Facts facts;
};

inline JoinResult join_facts(const Files& base, const std::vector<NamedFacts>& layers) {
  std::vector<Layer> views;
  for (const auto& layer : layers) {
    views.push_back({layer.name, &layer.facts});
  }
  auto result =
      join([&](std::string_view file) -> Result<std::optional<std::string>> { return text_of(base, file); }, views);
  EXPECT_TRUE(result) << result.error().render();
  return result ? std::move(*result) : JoinResult();
}

/// Joins layers "a", "b", ... built side by side on `base`; each is one text of `file`.
inline JoinResult join_texts(std::string_view file, const std::string& base, const std::vector<std::string>& uppers) {
  const Files base_files = {{std::string(file), base}};
  std::vector<NamedFacts> layers;
  for (const auto& upper : uppers) {
    const auto name = static_cast<char>('a' + layers.size());
    layers.push_back({std::string(1, name), facts_of(base_files, {{std::string(file), upper}})});
  }
  return join_facts(base_files, layers);
}

/// The text of `join_texts`, which must be free of conflicts and the same for the layers in reverse.
inline std::string joined_text(std::string_view file, const std::string& base, std::vector<std::string> uppers) {
  const auto result = join_texts(file, base, uppers);
  std::reverse(uppers.begin(), uppers.end());
  const auto reverse = join_texts(file, base, uppers);
  for (const auto& conflict : result.conflicts) {
    ADD_FAILURE() << conflict.message;
  }
  EXPECT_EQ(result.files, reverse.files);
  return text_of(result.files, file).value_or("<none>");
}

/// The canonical text of a file, as a join that changes nothing would print it.
inline std::string reprinted(std::string_view file, std::string_view text) {
  const auto* driver = driver_for(file);
  auto records = driver->parse(file, text);
  EXPECT_TRUE(records) << records.error().render();
  driver->order(file, *records, records->size());
  auto printed = driver->print(file, *records);
  EXPECT_TRUE(printed) << printed.error().render();
  return *printed;
}

} // namespace sheaf::join
