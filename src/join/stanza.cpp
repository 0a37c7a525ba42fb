// SPDX-License-Identifier: Apache-2.0
#include "join/stanza.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace sheaf::join {

namespace {

std::pair<std::string_view, std::string_view> split_package(std::string_view key) {
  const auto colon = key.find(':');
  return {key.substr(0, colon), colon == std::string_view::npos ? std::string_view() : key.substr(colon + 1)};
}

} // namespace

std::optional<std::string_view> stanza_field(std::string_view stanza, std::string_view name) {
  for (std::size_t at = 0; at < stanza.size();) {
    const auto end = std::min(stanza.find('\n', at), stanza.size());
    const auto line = stanza.substr(at, end - at);
    if (line.size() > name.size() && line[name.size()] == ':' && line.starts_with(name)) {
      return trim(line.substr(name.size() + 1));
    }
    at = end + 1;
  }
  return std::nullopt;
}

Result<Records> parse_stanzas(std::string_view file, std::string_view text,
                              const std::function<std::string(std::string_view)>& key_of) {
  Records records;
  for (std::size_t at = 0;;) {
    at = text.find_first_not_of('\n', at);
    if (at == std::string_view::npos) {
      return with_unique_keys(file, std::move(records));
    }
    const auto end = std::min(text.find("\n\n", at), text.size());
    const auto stanza = text.substr(at, end - at);
    Record record{key_of(stanza), std::string(stanza)};
    if (record.key.empty()) {
      return corrupt_at(file, text, at, "the stanza has no name");
    }
    if (!record.value.ends_with('\n')) {
      record.value += '\n';
    }
    records.push_back(std::move(record));
    at = end;
  }
}

std::string print_stanzas(const Records& records) {
  std::size_t size = 0;
  for (const auto& record : records) {
    size += record.value.size() + 1;
  }
  std::string text;
  text.reserve(size);
  for (const auto& record : records) {
    text.append(record.value).append("\n");
  }
  return text;
}

std::string package_key(std::string_view stanza) {
  const auto package = stanza_field(stanza, "Package");
  const auto architecture = stanza_field(stanza, "Architecture");
  if (!package || package->empty()) {
    return {};
  }
  std::string key(*package);
  if (architecture && !architecture->empty()) {
    key.append(":").append(*architecture);
  }
  return key;
}

void sort_by_package(Records& records) {
  // Not by the key itself: ':' sorts after '-', so "a-b:all" would come before "a:all".
  std::sort(records.begin(), records.end(),
            [](const Record& a, const Record& b) { return split_package(a.key) < split_package(b.key); });
}

} // namespace sheaf::join
