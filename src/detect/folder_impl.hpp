// SPDX-License-Identifier: Apache-2.0
#pragma once

// The body of `Folder::for_each`, which has to be seen by its users: one call per file of a project.

#include "detect/folder.hpp"

#include <dirent.h>

#include <string_view>

namespace sheaf::detect {

template <class Visit>
bool Folder::for_each(std::vector<char>& buffer, Visit&& visit) const {
  for (;;) {
    const auto size = next_entries(buffer);
    if (size <= 0) {
      return size == 0;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        visit(name, type_of(entry->d_type, entry->d_name));
      }
    }
  }
}

} // namespace sheaf::detect
