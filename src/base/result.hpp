// SPDX-License-Identifier: Apache-2.0
#pragma once

// Result<T>: a value or an Error, never silently dropped. SHEAF_TRY passes an error up.

#include "base/error.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace sheaf {

/// tl::expected with [[nodiscard]], which Debian's own lacks.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}

  /// Adds what the caller was doing to an error; a value passes untouched.
  Result context(std::string_view doing) && {
    if (!this->has_value()) {
      (void)std::move(this->error()).with_context(std::string(doing));
    }
    return std::move(*this);
  }
  /// Adds advice to an error that has none.
  Result hint(std::string_view advice) && {
    if (!this->has_value() && this->error().hint().empty()) {
      (void)std::move(this->error()).with_hint(std::string(advice));
    }
    return std::move(*this);
  }
};

/// A failure chosen to be ignored; `why` says what was being done, for the reader.
template <class T>
void ignore(const Result<T>& /*result*/, std::string_view /*why*/) {}

} // namespace sheaf

#define SHEAF_CONCAT_(a, b) a##b
#define SHEAF_CONCAT(a, b) SHEAF_CONCAT_(a, b)

/// Returns the error of a Result from the calling function.
#define SHEAF_TRY(expression)                                                                                          \
  do {                                                                                                                 \
    auto&& sheaf_try_result = (expression);                                                                            \
    if (!sheaf_try_result.has_value()) {                                                                               \
      return std::move(sheaf_try_result).error();                                                                      \
    }                                                                                                                  \
  } while (false)

/// `SHEAF_TRY_ASSIGN(auto x, f())`: x is the value, or the calling function returns the error.
#define SHEAF_TRY_ASSIGN(target, expression)                                                                           \
  auto SHEAF_CONCAT(sheaf_try_, __LINE__) = (expression);                                                              \
  if (!SHEAF_CONCAT(sheaf_try_, __LINE__).has_value()) {                                                               \
    return std::move(SHEAF_CONCAT(sheaf_try_, __LINE__)).error();                                                      \
  }                                                                                                                    \
  target = std::move(SHEAF_CONCAT(sheaf_try_, __LINE__)).value()
