// SPDX-License-Identifier: Apache-2.0
#include "detect/json_value.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace sheaf::detect {
namespace {

/// Walks over text and counts lines, which the library does not tell. Copies share the counter.
class CountingIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t& line) : m_at(at), m_line(&line) {}
  reference operator*() const { return *m_at; }
  CountingIterator& operator++() {
    *m_line += *m_at == '\n' ? 1 : 0;
    ++m_at;
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return m_at == other.m_at; }
  bool operator!=(const CountingIterator& other) const { return m_at != other.m_at; }

private:
  const char* m_at;
  std::size_t* m_line;
};

/// Takes the parser's events; an object is on the path if it is the value at the first keys of it.
class Search : public nlohmann::json_sax<nlohmann::json> {
public:
  Search(std::string_view path, const std::size_t& line) : m_path(split(path, '.')), m_line(line) {}

  std::optional<Written> found() && { return std::move(m_found); }

  bool null() override { return pass(); }
  bool boolean(bool /*value*/) override { return pass(); }
  bool number_integer(number_integer_t /*value*/) override { return pass(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return pass(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return pass(); }
  bool binary(binary_t& /*value*/) override { return pass(); }
  bool string(string_t& value) override {
    if (m_is_next && m_matched + 1 == m_path.size()) {
      m_found = Written{value, m_line}; // the parser has read up to the closing quote
    }
    return pass();
  }
  bool key(string_t& key) override {
    m_is_next = m_depth > 0 && m_matched == m_depth - 1 && m_matched < m_path.size() && key == m_path[m_matched];
    return true;
  }
  bool start_object(std::size_t /*size*/) override {
    m_matched += m_is_next ? 1 : 0;
    return enter();
  }
  bool start_array(std::size_t /*size*/) override { return enter(); }
  bool end_object() override {
    m_matched -= m_matched > 0 && m_matched == m_depth - 1 ? 1 : 0;
    --m_depth;
    return true;
  }
  bool end_array() override {
    --m_depth;
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return false;
  }

private:
  bool pass() {
    m_is_next = false;
    return true;
  }
  bool enter() {
    ++m_depth;
    return pass();
  }

  std::vector<std::string_view> m_path;
  const std::size_t& m_line;
  std::size_t m_depth = 0;
  /// How many keys of the path lead to the innermost object that is on it.
  std::size_t m_matched = 0;
  /// The next value is that of a key on the path.
  bool m_is_next = false;
  std::optional<Written> m_found;
};

} // namespace

Result<std::optional<Written>> json_text(std::string_view contents, std::string_view path) {
  std::size_t line = 1;
  Search search(path, line);
  const CountingIterator begin(contents.data(), line);
  const CountingIterator end(contents.data() + contents.size(), line);
  if (!nlohmann::json::sax_parse(begin, end, &search)) {
    return Error(ErrorCode::invalid, fmt::format("line {} is not JSON", line));
  }
  return std::move(search).found();
}

} // namespace sheaf::detect
