// SPDX-License-Identifier: Apache-2.0
#pragma once

// Splitting, trimming and quoting of text. Pure; views point into the argument.

#include <charconv>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// All pieces between `separator`, empty ones too: "a,,b" gives three; "" gives one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);
/// The lines of `text` without their "\n"; a last line without a newline counts, an empty one does not.
std::vector<std::string_view> lines_of(std::string_view text);
/// Without blanks (space, tab, CR, LF) at both ends.
std::string_view trim(std::string_view text);
std::string joined(std::span<const std::string> parts, std::string_view separator);
/// `text` as one word of a POSIX shell, quoted only where it has to be.
std::string shell_quote(std::string_view text);
/// A command line that can be pasted into a shell.
std::string shell_join(std::span<const std::string> words);
/// "1.5 MB"; powers of 1000, as `ls --si`.
std::string human_bytes(std::uint64_t bytes);
/// "12 ms", "1.4 s", "2 min 5 s".
std::string human_milliseconds(double milliseconds);

/// The whole of `text` as a number, or nothing.
template <std::integral T>
std::optional<T> to_number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

} // namespace sheaf
