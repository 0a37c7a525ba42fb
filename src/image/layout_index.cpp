// SPDX-License-Identifier: Apache-2.0
#include "image/layout_index.hpp"

#include <algorithm>

namespace sheaf::image {
namespace {

constexpr const char* k_tag = "org.opencontainers.image.ref.name";
constexpr const char* k_full_name = "io.containerd.image.name";

} // namespace

std::string tag_of(const std::string& name) {
  const auto colon = name.rfind(':');
  return colon == std::string::npos || name.find('/', colon) != std::string::npos ? name : name.substr(colon + 1);
}

std::vector<std::string> names_of(const oci::Descriptor& entry) {
  std::vector<std::string> names;
  for (const auto* key : {k_full_name, k_tag}) {
    const auto found = entry.annotations.find(key);
    if (found != entry.annotations.end() && !found->second.empty()) {
      names.push_back(found->second);
    }
  }
  // The tag alone says nothing where the name does.
  if (names.size() == 2 && (names[0] == names[1] || tag_of(names[0]) == names[1])) {
    names.pop_back();
  }
  return names;
}

void add_named(oci::Index& index, const oci::Descriptor& manifest, const std::vector<std::string>& names) {
  std::vector<oci::Descriptor> added;
  for (const auto& name : names) {
    auto& entry = added.emplace_back(manifest);
    entry.annotations[k_full_name] = name;
    entry.annotations[k_tag] = tag_of(name);
  }
  if (names.empty()) {
    added.push_back(manifest);
  }
  std::erase_if(index.manifests, [&](const auto& entry) {
    const auto old = names_of(entry);
    return std::ranges::any_of(added, [&](const auto& one) { return names_of(one) == old; }) &&
           (!old.empty() || entry.digest == manifest.digest);
  });
  index.manifests.insert(index.manifests.end(), added.begin(), added.end());
}

} // namespace sheaf::image
