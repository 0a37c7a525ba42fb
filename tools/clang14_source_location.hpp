// SPDX-License-Identifier: Apache-2.0
#pragma once

// std::source_location for clang 14, which lacks the builtin that libstdc++ 12 asks for. clang-tidy and the fuzz build
// include this file in front of every source (-include); g++ and later clangs see nothing of it.
// REMOVE when clang >= 15 is the minimum.

#if defined(__cplusplus) && defined(__clang__) && __clang_major__ < 15
namespace std { // NOLINT(cert-dcl58-cpp): stands in for the standard type
class source_location {
 public:
  static constexpr source_location current(const char* file = __builtin_FILE(),
                                           const char* function = __builtin_FUNCTION(),
                                           unsigned line = __builtin_LINE(),
                                           unsigned column = __builtin_COLUMN()) noexcept {
    source_location here;
    here.m_file = file;
    here.m_function = function;
    here.m_line = line;
    here.m_column = column;
    return here;
  }
  constexpr unsigned line() const noexcept { return m_line; }
  constexpr unsigned column() const noexcept { return m_column; }
  constexpr const char* file_name() const noexcept { return m_file; }
  constexpr const char* function_name() const noexcept { return m_function; }

 private:
  const char* m_file = "";
  const char* m_function = "";
  unsigned m_line = 0;
  unsigned m_column = 0;
};
} // namespace std
#endif
