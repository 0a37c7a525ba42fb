// SPDX-License-Identifier: Apache-2.0
// The part of Store that keeps images and their names.
#include "base/kept_back.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "store/key_lock.hpp"
#include "store/seal.hpp"
#include "store/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sheaf::store {
namespace {

constexpr std::size_t k_shortest_prefix = 4;
constexpr std::size_t k_id_digits = 64;

struct Tag {
  oci::Reference reference;
  Digest image;
};

std::string part_of_image(const std::string& hex) { return fmt::format("images/{}.json", hex); }

/// Names may be longer than file names: the file is named by the digest of the name.
std::string tag_path(const std::string& root, const oci::Reference& reference) {
  return fmt::format("{}/tags/{}", root, Digest::of(reference.to_string()).hex());
}

/// Nothing if it says no name, or is gone. What is kept back is an error: an image without its name would be exported
/// without it, and swept up.
Result<std::optional<Tag>> read_tag(const std::string& path) {
  const auto text = os::read_file(path);
  if (!text && is_kept_back(text.error())) {
    return text.error();
  }
  const auto lines = text ? lines_of(*text) : std::vector<std::string_view>();
  if (lines.size() != 2) {
    return std::optional<Tag>();
  }
  auto reference = oci::Reference::parse(lines[0]);
  const auto image = Digest::parse(lines[1]);
  return reference && image ? std::optional(Tag{std::move(*reference), *image}) : std::optional<Tag>();
}

/// `Shared` is private to Store.
template <class Shared>
void tell_of_damage(Shared& shared, const std::string& path) {
  const std::scoped_lock lock(shared.damage_mutex);
  if (shared.known_damage.insert(path).second) {
    shared.damaged.push_back(path);
  }
}

Result<std::multimap<Digest, oci::Reference>> read_tags(const std::string& root) {
  std::multimap<Digest, oci::Reference> tags;
  if (!os::exists(root + "/tags")) {
    return tags;
  }
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(root + "/tags"));
  for (const auto& entry : entries) {
    SHEAF_TRY_ASSIGN(auto tag, read_tag(fmt::format("{}/tags/{}", root, entry.name)));
    if (tag) {
      tags.emplace(tag->image, std::move(tag->reference));
    }
  }
  return tags;
}

void add_tags(StoredImage& image, const std::multimap<Digest, oci::Reference>& tags) {
  const auto [first, last] = tags.equal_range(image.id);
  std::transform(first, last, std::back_inserter(image.tags), [](const auto& tag) { return tag.second; });
  std::ranges::sort(image.tags, {}, &oci::Reference::to_string);
}

/// The hex digits of an id or its beginning.
std::optional<std::string> id_prefix(std::string_view name) {
  if (name.starts_with("sha256:")) {
    name.remove_prefix(std::string_view("sha256:").size());
  }
  const bool is_hex = name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  const bool fits = name.size() >= k_shortest_prefix && name.size() <= k_id_digits;
  return is_hex && fits ? std::optional(std::string(name)) : std::nullopt;
}

/// The one id in `folder` that begins so; nothing if there is none.
Result<std::optional<std::string>> complete(const std::string& folder, const std::string& prefix) {
  std::optional<std::string> found;
  if (!os::exists(folder)) {
    return found;
  }
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (const auto& entry : entries) {
    if (!entry.name.starts_with(prefix)) {
      continue;
    }
    if (found) {
      return Error(ErrorCode::invalid, fmt::format("'{}' is the beginning of several images' ids", prefix))
          .with_hint("give more digits; 'sheaf image list' shows them");
    }
    found = entry.name.substr(0, k_id_digits);
  }
  return found;
}

/// "<root>/<name>", which a power failure does not take away with the flushed files in it.
Result<std::string> lasting_folder(const Store& store, const std::string& name) {
  const bool is_new = !os::is_directory(fmt::format("{}/{}", store.root(), name));
  SHEAF_TRY_ASSIGN(auto path, store.folder(name));
  if (is_new) {
    SHEAF_TRY(os::sync_directory(store.root()));
  }
  return path;
}

/// An image that was there before keeps the time at which it was made first, and need not be flushed once more.
bool is_made_again(const ImageRecord& image, ImageRecord there) {
  const bool is_older = there.created <= image.created;
  there.created = image.created;
  return is_older && serialise(there) == serialise(image);
}

} // namespace

Result<std::vector<std::string>> Store::trees_of(const ImageRecord& image) const {
  std::vector<std::string> paths;
  for (const auto& tree : image.trees) {
    paths.push_back(tree_path(tree));
    if (!has_tree(tree.folder)) {
      return Error(ErrorCode::corrupt, fmt::format("a part of the image is lost or damaged: '{}'", paths.back()))
          .with_hint("build or pull the image again; what is still there is not made anew");
    }
  }
  return paths;
}

Result<Digest> Store::save_image(const ImageRecord& image) {
  const auto id = image_id(image);
  SHEAF_TRY_ASSIGN(const auto images, lasting_folder(*this, "images"));
  SHEAF_TRY(use(part_of_image(id.hex()))); // it has no name yet
  if (const auto there = load_image(id.hex()); there && *there && is_made_again(image, (*there)->record)) {
    return id;
  }
  SHEAF_TRY_ASSIGN(const auto gate, publish());
  SHEAF_TRY(write_file(m_root, fmt::format("{}/{}.json", images, id.hex()), serialise(image), os::Durable::yes)
                .context("saving an image"));
  return id;
}

Result<void> Store::tag(const oci::Reference& reference, const Digest& image) {
  const auto doing = fmt::format("naming an image '{}'", reference.familiar());
  if (reference.tag.empty() || reference.digest) {
    return Error(ErrorCode::invalid, "a name with a digest cannot be given")
        .with_context(doing)
        .with_hint("leave out '@sha256:…'");
  }
  SHEAF_TRY(lasting_folder(*this, "tags"));
  const auto path = tag_path(m_root, reference);
  const auto text = fmt::format("{}\n{}\n", reference.to_string(), image.to_string());
  if (const auto there = os::read_file(path); there && *there == text) {
    return {}; // to flush it once more would cost more than all else in a build that has nothing to do
  }
  SHEAF_TRY_ASSIGN(const auto gate, publish());
  return write_file(m_root, path, text, os::Durable::yes).context(doing);
}

Result<os::FileLock> Store::publish() const {
  return wait_for_lock(lock_path("gc"), os::LockMode::shared, m_shared->stop);
}

std::string Store::tag_file(const oci::Reference& reference) const { return tag_path(m_root, reference); }

Result<bool> Store::untag(const oci::Reference& reference) {
  const auto path = tag_path(m_root, reference);
  if (!os::exists(path)) {
    return false;
  }
  SHEAF_TRY_ASSIGN(const auto gate, publish());
  SHEAF_TRY(os::remove_file_if_exists(path).context(fmt::format("removing the name '{}'", reference.familiar())));
  return true;
}

Result<std::optional<StoredImage>> Store::load_image(const std::string& hex) const {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(fmt::format("{}/images/{}.json", m_root, hex)));
  const auto id = Digest::parse(hex);
  if (!text || !id) {
    return std::optional<StoredImage>();
  }
  SHEAF_TRY_ASSIGN(auto record,
                   parse_image_record(*text)
                       .context(fmt::format("image '{}', '{}/images/{}.json'", id->short_hex(), m_root, hex))
                       .hint("build or pull the image again; 'sheaf fsck --repair' takes what is damaged away"));
  return std::optional(StoredImage{*id, std::move(record), {}});
}

Result<std::optional<StoredImage>> Store::find_image(const std::string& name) {
  const auto prefix = id_prefix(name);
  const auto reference = oci::Reference::parse(name);
  if (!reference && !prefix) {
    return Error(reference.error());
  }
  std::optional<std::string> hex;
  const auto file = reference ? tag_path(m_root, *reference) : std::string();
  std::optional<Tag> tag;
  if (reference) {
    SHEAF_TRY_ASSIGN(tag, read_tag(file));
  }
  if (tag) {
    hex = tag->image.hex();
  } else if (prefix) {
    SHEAF_TRY_ASSIGN(hex, complete(m_root + "/images", *prefix));
  }
  if (!tag && reference && os::exists(file)) {
    tell_of_damage(*m_shared, file);
  }
  if (!hex) {
    return std::optional<StoredImage>();
  }
  SHEAF_TRY(use(part_of_image(*hex)));
  SHEAF_TRY_ASSIGN(auto image, load_image(*hex));
  if (!image) { // its name is here, its record is not
    tell_of_damage(*m_shared, fmt::format("{}/images/{}.json", m_root, *hex));
  } else {
    SHEAF_TRY_ASSIGN(const auto tags, read_tags(m_root));
    add_tags(*image, tags);
  }
  return image;
}

Result<std::vector<StoredImage>> Store::images() {
  std::vector<StoredImage> images;
  if (!os::exists(m_root + "/images")) {
    return images;
  }
  SHEAF_TRY_ASSIGN(const auto tags, read_tags(m_root));
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(m_root + "/images"));
  for (const auto& entry : entries) {
    auto image = load_image(entry.name.substr(0, entry.name.find('.')));
    if (!image && is_kept_back(image.error())) {
      return std::move(image).error();
    }
    if (!image) {
      tell_of_damage(*m_shared, fmt::format("{}/images/{}", m_root, entry.name));
    } else if (*image) {
      add_tags(**image, tags);
      images.push_back(std::move(**image));
    }
  }
  std::ranges::stable_sort(images, std::ranges::greater(), [](const auto& image) { return image.record.created; });
  return images;
}

} // namespace sheaf::store
