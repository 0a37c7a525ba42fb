// SPDX-License-Identifier: Apache-2.0
#include "detect/wanted_version.hpp"

#include "base/text.hpp"
#include "detect/json_value.hpp"
#include "detect/toml_value.hpp"

#include <algorithm>

namespace sheaf::detect {
namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view k_blanks = " \t\r";
constexpr std::size_t k_longest_version = 100;

bool could_be_version(std::string_view text) {
  return !text.empty() && text.size() <= k_longest_version &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// The first word of `text`, up to a blank or a comment.
std::string_view first_word(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(k_blanks), text.size()));
  return text.substr(0, std::min({text.find_first_of(k_blanks), text.find('#'), text.find("//"), text.size()}));
}

std::optional<Written> first_line(std::string_view contents) {
  std::size_t number = 0;
  for (const auto line : lines_of(contents)) {
    ++number;
    if (const auto word = first_word(line); !word.empty()) {
      return word.starts_with('[') ? std::nullopt
                                   : std::optional(Written{std::string(word), number}); // a table of TOML
    }
  }
  return std::nullopt;
}

std::optional<Written> behind_word(std::string_view contents, std::string_view word) {
  std::size_t number = 0;
  for (const auto line : lines_of(contents)) {
    ++number;
    if (line.starts_with(word) && line.size() > word.size() &&
        k_blanks.find(line[word.size()]) != std::string_view::npos) {
      if (const auto value = first_word(line.substr(word.size())); !value.empty()) {
        return Written{std::string(value), number};
      }
    }
  }
  return std::nullopt;
}

bool is_toml(std::string_view name) { return name.ends_with(".toml") || name.ends_with(".lock") || name == "Pipfile"; }

Result<std::optional<Written>> look_up(std::string_view name, std::string_view contents, std::string_view where) {
  if (where == k_first_line) {
    return first_line(contents);
  }
  if (name.ends_with(".json")) {
    return json_text(contents, where);
  }
  if (is_toml(name)) {
    return toml_text(contents, where);
  }
  if (where.find('.') != std::string_view::npos) { // "rust-toolchain" is TOML or one line
    return toml_text(contents, where).value_or(std::nullopt);
  }
  return behind_word(contents, where);
}

} // namespace

Result<std::optional<Written>> find_version(std::string_view name, std::string_view contents, std::string_view where) {
  if (contents.starts_with(k_byte_order_mark)) {
    contents.remove_prefix(k_byte_order_mark.size());
  }
  SHEAF_TRY_ASSIGN(auto written, look_up(name, contents, where));
  if (!written) {
    return std::nullopt;
  }
  written->text = trim(written->text);
  return could_be_version(written->text) ? std::move(written) : std::nullopt;
}

} // namespace sheaf::detect
