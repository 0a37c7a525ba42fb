// SPDX-License-Identifier: Apache-2.0
#include "builder/join_tree.hpp"

#include "base/text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace sheaf::builder {

Result<void> JoinTree::add_directory(const layer::Entry& wanted) {
  SHEAF_TRY_ASSIGN(const auto place, m_folders.folder_of(wanted.path));
  auto entry = wanted;
  entry.mtime = 0;
  return m_folders.set_attributes(place, entry);
}

Result<void> JoinTree::add_file(const std::string& path, const std::string& content,
                                const join::FileAttributes& attributes) {
  SHEAF_TRY_ASSIGN(const auto place, m_folders.place_of(path));
  SHEAF_TRY(os::write_file(m_folders.full_path(place), content));
  SHEAF_TRY_ASSIGN(auto wanted, attributes_in(m_below.root(), place));
  if (!wanted || wanted->type == layer::EntryType::symlink) {
    wanted.emplace();
    wanted->mode = attributes.mode;
    SHEAF_TRY_ASSIGN(wanted->gid, group_id(attributes.group));
  }
  return m_folders.set_attributes(place, *wanted);
}

Result<void> JoinTree::add_link(const std::string& path, const join::Link& link) {
  SHEAF_TRY_ASSIGN(const bool target_exists,
                   link.only_if_exists.empty() ? Result<bool>(true) : m_below.has(link.only_if_exists));
  const bool wanted = !link.target.empty() && target_exists;
  SHEAF_TRY_ASSIGN(const auto below, attributes_in(m_below.root(), path));
  if (wanted ? below && below->target == link.target : !below) {
    return {};
  }
  if (below && below->type != layer::EntryType::symlink) {
    return {}; // somebody put a file of his own there; the tools leave it alone as well
  }
  SHEAF_TRY_ASSIGN(const auto place, m_folders.place_of(path));
  const auto full = m_folders.full_path(place);
  if (!wanted) {
    return mknod(full.c_str(), S_IFCHR, makedev(0, 0)) == 0
               ? Result<void>()
               : Error::from_errno(errno, fmt::format("marking '/{}' as deleted", path));
  }
  if (symlink(link.target.c_str(), full.c_str()) != 0) {
    return Error::from_errno(errno, fmt::format("making the link '/{}'", path));
  }
  layer::Entry entry;
  entry.type = layer::EntryType::symlink;
  return m_folders.set_attributes(place, entry);
}

/// The id of a group in the composed root, by the join's own group file if it wrote one.
Result<unsigned> JoinTree::group_id(std::string_view name) const {
  if (name == "root") {
    return 0U;
  }
  SHEAF_TRY_ASSIGN(auto text, os::read_file_if_exists(m_folders.full_path("etc/group")));
  if (!text) {
    SHEAF_TRY_ASSIGN(text, m_below.read("etc/group"));
  }
  const auto groups = text.value_or(std::string());
  for (const auto line : lines_of(groups)) {
    const auto fields = split(line, ':');
    if (fields.size() > 2 && fields[0] == name) {
      return to_number<unsigned>(fields[2]).value_or(0U);
    }
  }
  return 0U;
}

} // namespace sheaf::builder
