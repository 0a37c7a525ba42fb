// SPDX-License-Identifier: Apache-2.0
#pragma once

// Three-way merges of small values, for the drivers' `reconcile`. All are symmetric in `a` and `b`.

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::join {

/// The side that differs from `base`; nothing if both do and disagree.
template <class T>
const T* three_way(const T& base, const T& a, const T& b) {
  if (a == b || b == base) {
    return &a;
  }
  return a == base ? &b : nullptr;
}

/// Lists such as "alice,bob" as sets: what either side added is added, what either side removed is removed. The result
/// is sorted bytewise, so that it does not depend on the order of merges; empty members are dropped.
std::string three_way_set(std::string_view base, std::string_view a, std::string_view b, std::string_view separator);

} // namespace sheaf::join
