// SPDX-License-Identifier: Apache-2.0
#include "store/in_use.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

namespace sheaf::store {
namespace {

constexpr std::time_t k_hour = 3600;

/// Two parts with one number would only be kept longer than they need to be.
std::uint64_t number_of(std::string_view part) {
  constexpr std::size_t k_digits = 15; // of 4 bits each: less than the 62 bits there are
  return to_number<std::uint64_t>(Digest::of(part).hex().substr(0, k_digits), 16).value_or(0);
}

} // namespace

/// Writing it once an hour is enough to tell what was used lately, and spares the disk. A time in the future is of a
/// clock that was wrong. On a store that cannot be written to nothing is collected either.
void mark_used(const std::string& path) {
  struct stat info {};
  const auto now = std::time(nullptr);
  if (lstat(path.c_str(), &info) == 0 && (info.st_mtim.tv_sec < now - k_hour || info.st_mtim.tv_sec > now)) {
    [[maybe_unused]] const auto done = utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  }
}

Result<InUse> InUse::open(const std::string& root) {
  SHEAF_TRY_ASSIGN(auto locks, os::ByteLocks::open(root + "/locks/in-use").context("opening the list of what is used"));
  return InUse(root, std::move(locks));
}

Result<void> InUse::add(std::string_view part) {
  const std::scoped_lock guard(m_known->mutex);
  if (m_known->parts.contains(part)) {
    return {};
  }
  SHEAF_TRY(m_locks.share(number_of(part)));
  m_known->parts.emplace(part);
  mark_used(fmt::format("{}/{}", m_root, part));
  return {};
}

Result<void> InUse::hold(std::string_view part) {
  const std::scoped_lock guard(m_known->mutex);
  if (!m_known->parts.contains(part) && !m_known->held.contains(part)) {
    SHEAF_TRY(m_locks.share(number_of(part)));
    m_known->held.emplace(part);
  }
  return {};
}

void InUse::touch_all() {
  const std::scoped_lock guard(m_known->mutex);
  for (const auto& part : m_known->parts) {
    mark_used(fmt::format("{}/{}", m_root, part));
  }
}

InUse::~InUse() {
  if (m_known) { // else it was moved away
    touch_all();
  }
}

Result<bool> InUse::take(std::string_view part) { return m_locks.try_own(number_of(part)); }

Result<void> InUse::give_back(std::string_view part) { return m_locks.release(number_of(part)); }

} // namespace sheaf::store
