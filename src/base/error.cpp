// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sheaf {
namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 12> k_names = {{
    {ErrorCode::not_found, "not_found"},
    {ErrorCode::denied, "denied"},
    {ErrorCode::invalid, "invalid"},
    {ErrorCode::corrupt, "corrupt"},
    {ErrorCode::busy, "busy"},
    {ErrorCode::network, "network"},
    {ErrorCode::cancelled, "cancelled"},
    {ErrorCode::unsupported, "unsupported"},
    {ErrorCode::failed_step, "failed_step"},
    {ErrorCode::conflict, "conflict"},
    {ErrorCode::no_space, "no_space"},
    {ErrorCode::internal, "internal"},
}};

ErrorCode code_of(int errno_value) {
  switch (errno_value) {
  case ENOENT:
  case ENOTDIR:
    return ErrorCode::not_found;
  case EPERM:
  case EACCES:
  case EROFS:
    return ErrorCode::denied;
  case ENOSPC:
  case EDQUOT:
    return ErrorCode::no_space;
  case EBUSY:
  case EAGAIN:
    return ErrorCode::busy;
  case EINVAL:
  case EISDIR:
  case ELOOP:
  case ENAMETOOLONG:
    return ErrorCode::invalid;
  case ENOSYS:
  case EOPNOTSUPP:
    return ErrorCode::unsupported;
  default:
    return ErrorCode::internal;
  }
}

} // namespace

std::string_view to_string(ErrorCode code) {
  for (const auto& [value, name] : k_names) {
    if (value == code) {
      return name;
    }
  }
  return "internal";
}

ErrorCode error_code_from(std::string_view text) {
  for (const auto& [value, name] : k_names) {
    if (name == text) {
      return value;
    }
  }
  return ErrorCode::internal;
}

Error::Error(ErrorCode code, std::string message, std::source_location where)
    : m_code(code), m_message(std::move(message)), m_where(where) {}

Error Error::from_errno(int errno_value, std::string_view doing, std::source_location where) {
  Error error(code_of(errno_value), std::string(doing) + ": " + std::strerror(errno_value), where);
  error.m_errno = errno_value;
  return error;
}

Error&& Error::with_context(std::string doing) && {
  m_context.insert(m_context.begin(), std::move(doing));
  return std::move(*this);
}

Error&& Error::with_hint(std::string hint) && {
  m_hint = std::move(hint);
  return std::move(*this);
}

Error&& Error::with_details(std::string details) && {
  m_details = std::move(details);
  return std::move(*this);
}

Error&& Error::with_code(ErrorCode code) && {
  m_code = code;
  return std::move(*this);
}

std::string Error::summary() const {
  std::string text;
  for (const auto& doing : m_context) {
    text += doing + ": ";
  }
  return text + m_message;
}

std::string Error::render() const {
  std::string text = "error: " + summary();
  if (!m_details.empty()) {
    text += "\n" + m_details;
  }
  if (!m_hint.empty()) {
    text += "\nhint: " + m_hint;
  }
  return text;
}

} // namespace sheaf
