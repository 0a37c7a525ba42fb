// SPDX-License-Identifier: Apache-2.0
// The part of Store that keeps unpacked layers of images, and that knows whether the trees of images are whole.
#include "base/text.hpp"
#include "os/file.hpp"
#include "store/seal.hpp"
#include "store/store.hpp"

#include <fmt/format.h>

namespace sheaf::store {
namespace {

/// The content digest and the exact one of an unpacked layer, as its file "content" says.
struct Digests {
  Digest content;
  Digest exact;
};

std::optional<Digests> read_digests(const std::string& folder) {
  const auto text = os::read_file(folder + "/content");
  const auto lines = text ? lines_of(*text) : std::vector<std::string_view>();
  if (lines.size() != 2) {
    return std::nullopt;
  }
  const auto content = Digest::parse(lines[0]);
  const auto exact = Digest::parse(lines[1]);
  return content && exact ? std::optional(Digests{*content, *exact}) : std::nullopt;
}

std::optional<Digests> find_whole(const std::string& folder) {
  auto digests = read_digests(folder);
  return digests && is_tree_intact(folder, digests->exact) ? digests : std::nullopt;
}

} // namespace

std::optional<TreeRef> Store::find_unpacked(const Digest& blob) const {
  const auto folder = "unpacked/" + blob.hex();
  if (!use(folder)) {
    return std::nullopt;
  }
  const auto digests = find_whole(fmt::format("{}/{}", m_root, folder));
  return digests ? std::optional(TreeRef{folder, digests->content}) : std::nullopt;
}

Result<TreeRef> Store::commit_unpacked(const std::string& directory, const Digest& blob, const TreeDigest& digest) {
  const auto doing = fmt::format("keeping unpacked layer {}", blob.short_hex());
  SHEAF_TRY_ASSIGN(const auto parent, folder("unpacked").context(doing));
  const auto path = fmt::format("{}/{}", parent, blob.hex());
  const auto text = fmt::format("{}\n{}\n", digest.content.to_string(), digest.exact.to_string());
  SHEAF_TRY(use("unpacked/" + blob.hex()).context(doing));
  SHEAF_TRY(os::write_file(directory + "/content", text).context(doing));
  SHEAF_TRY(seal_tree(directory).context(doing));
  SHEAF_TRY(put(directory, path, [&] { return find_whole(path).has_value(); }).context(doing));
  return TreeRef{"unpacked/" + blob.hex(), digest.content};
}

bool Store::has_tree(const std::string& folder) const {
  const auto path = fmt::format("{}/{}", m_root, folder);
  if (!use(folder)) {
    return false;
  }
  if (folder.starts_with("steps/")) {
    const auto exact = Digest::parse(folder.substr(folder.rfind('/') + 1));
    return exact && is_tree_intact(path, *exact);
  }
  if (folder.starts_with("unpacked/")) {
    return find_whole(path).has_value();
  }
  const bool is_there = os::is_directory(path + "/tree");
  return is_there && (!folder.starts_with("joins/") || is_intact(path)); // a power failure tears what is not flushed
}

} // namespace sheaf::store
