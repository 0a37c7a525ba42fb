// SPDX-License-Identifier: Apache-2.0
#include "app/part_check.hpp"

#include "base/text.hpp"
#include "cache/tree_check.hpp"
#include "layer/file_digest.hpp"
#include "layer/inventory.hpp"
#include "os/file.hpp"
#include "store/blobs.hpp"
#include "store/seal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <map>

namespace sheaf::app {

Error is_not(std::string_view what) { return {ErrorCode::corrupt, std::string(what)}; }

bool is_part_name(std::string_view name) {
  constexpr std::size_t k_hex_digits = 64;
  if (name.ends_with(".json")) {
    name.remove_suffix(std::string_view(".json").size());
  }
  return name.size() == k_hex_digits && Digest::parse(name);
}

std::string PartCheck::full(const std::string& path) const { return fmt::format("{}/{}", m_store.root(), path); }
bool PartCheck::is_there(const std::string& path) const { return os::exists(full(path)); }

Result<void> PartCheck::part(const std::string& path) const {
  static const std::map<std::string, Result<void> (PartCheck::*)(const std::string&) const> k_simple = {
      {"steps", &PartCheck::step},
      {"unpacked", &PartCheck::unpacked},
      {"joins", &PartCheck::join},
      {"generated", &PartCheck::generated},
      {"blobs/sha256", &PartCheck::blob},
      {"step-keys", &PartCheck::step_key},
      {"blobs/records", &PartCheck::blob_record}};
  const auto slash = path.rfind('/');
  const auto folder = path.substr(0, slash);
  const auto name = path.substr(slash + 1); // npos + 1 is the whole
  if (!is_there(path)) {
    return {};
  }
  if (slash == std::string::npos) {
    return json(path);
  }
  if (!is_part_name(name)) {
    return is_not("nothing has such a name here");
  }
  const auto simple = k_simple.find(folder);
  return simple != k_simple.end() ? (this->*simple->second)(name) : record(folder, name);
}

Result<void> PartCheck::record(const std::string& folder, const std::string& name) const {
  if (folder == "layers") {
    store::LayerRecord record;
    return layer(name, record);
  }
  if (folder == "recipes") {
    SHEAF_TRY_ASSIGN(const auto record, recipe(name));
    return is_there("layers/" + record.content_key.hex()) ? Result<void>() : is_not("its layer is gone");
  }
  if (folder == "images") {
    store::ImageRecord record;
    return image(name.substr(0, name.find('.')), record);
  }
  SHEAF_TRY_ASSIGN(const auto said, tag(name));
  return image_of(said);
}

Result<void> PartCheck::layer(const std::string& hex, store::LayerRecord& record) const {
  const store::StoredLayer layer{{}, full("layers/" + hex)};
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(layer.path + "/layer.json"));
  SHEAF_TRY_ASSIGN(record, store::parse_layer_record(text));
  if (record.content_key.hex() != hex) {
    return is_not("its record is about another layer");
  }
  SHEAF_TRY_ASSIGN(const auto inventory, os::read_file(layer.inventory()));
  SHEAF_TRY_ASSIGN(const auto facts, os::read_file(layer.facts()));
  if (store::content_key_of(record.config, inventory, facts) != record.content_key) {
    return is_not("its inventory, facts or configuration were changed");
  }
  SHEAF_TRY_ASSIGN(const auto entries, layer::parse_inventory(inventory));
  SHEAF_TRY_ASSIGN(const auto root, os::open(layer.tree(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return cache::check_tree(root, entries, {});
}

Result<void> PartCheck::sealed(const std::string& path) const {
  SHEAF_TRY_ASSIGN(const bool is_whole, store::is_as_sealed(full(path)));
  return is_whole && os::is_directory(full(path) + "/tree") ? Result<void>() : is_not("it is not as it was sealed");
}

Result<void> PartCheck::tree(const std::string& path, const Digest& exact) const {
  SHEAF_TRY_ASSIGN(const auto digests, store::digest_tree(full(path) + "/tree"));
  return digests.exact == exact ? Result<void>() : is_not("its tree was changed");
}

Result<void> PartCheck::step(const std::string& hex) const {
  SHEAF_TRY_ASSIGN(const auto exact, Digest::parse(hex));
  return tree("steps/" + hex, exact);
}

Result<void> PartCheck::unpacked(const std::string& hex) const {
  const auto part = "unpacked/" + hex;
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(full(part) + "/content"));
  const auto lines = lines_of(text);
  if (lines.size() != 2) {
    return is_not("its digests cannot be read");
  }
  SHEAF_TRY(Digest::parse(lines[0]));
  SHEAF_TRY_ASSIGN(const auto exact, Digest::parse(lines[1]));
  return tree(part, exact);
}

Result<void> PartCheck::blob(const std::string& hex) const {
  SHEAF_TRY_ASSIGN(const auto file, os::open(full("blobs/sha256/" + hex), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
  if (!S_ISREG(info.st_mode)) {
    return is_not("it is no file");
  }
  SHEAF_TRY_ASSIGN(const auto digest, layer::digest_of(file));
  return digest.hex() == hex ? Result<void>() : is_not("it has another digest");
}

Result<void> PartCheck::step_key(const std::string& name) const {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(full("step-keys/" + name)));
  SHEAF_TRY(store::parse_step_record(text));
  return {};
}

Result<void> PartCheck::blob_record(const std::string& name) const {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(full("blobs/records/" + name)));
  SHEAF_TRY(store::parse_blob_record(text));
  return {};
}

Result<store::LayerRecord> PartCheck::recipe(const std::string& hex) const {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(full("recipes/" + hex)));
  SHEAF_TRY_ASSIGN(auto record, store::parse_layer_record(text));
  return record.recipe_key.hex() == hex ? Result<store::LayerRecord>(std::move(record))
                                        : is_not("it is about another recipe");
}

Result<void> PartCheck::image(const std::string& hex, store::ImageRecord& record) const {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(full(fmt::format("images/{}.json", hex))));
  SHEAF_TRY_ASSIGN(record, store::parse_image_record(text));
  if (store::image_id(record).hex() != hex) {
    return is_not("its record is about another image");
  }
  for (const auto& tree : record.trees) {
    if (!is_there(tree.folder) || m_damaged.contains(tree.folder)) {
      return is_not(fmt::format("its part '{}' is {}", tree.folder, is_there(tree.folder) ? "damaged" : "gone"));
    }
  }
  return {};
}

Result<std::size_t> PartCheck::lost_blobs(const store::ImageRecord& record) const {
  if (!record.manifest) {
    return 0;
  }
  const auto is_lost = [&](const Digest& digest) {
    const auto blob = "blobs/sha256/" + digest.hex();
    return !is_there(blob) || m_damaged.contains(blob);
  };
  SHEAF_TRY_ASSIGN(const auto manifest, store::Blobs(m_store).peek_manifest(*record.manifest));
  if (!manifest) {
    return 1;
  }
  std::set<Digest> lost;
  for (const auto& layer : manifest->layers) { // without its record nobody knows whose blob it is
    const auto blob_record = store::Blobs::record_part("unpacked/" + layer.digest.hex(), store::k_as_it_came);
    if (is_lost(layer.digest) || !is_there(blob_record) || m_damaged.contains(blob_record)) {
      lost.insert(layer.digest);
    }
  }
  return lost.size() + (is_lost(manifest->config.digest) ? 1 : 0);
}

Result<PartCheck::Name> PartCheck::tag(const std::string& name) const {
  Name result;
  SHEAF_TRY_ASSIGN(result.text, os::read_file(full("tags/" + name)));
  const auto lines = lines_of(result.text);
  if (lines.size() != 2 || !Digest::parse(lines[1]) || Digest::of(lines[0]).hex() != name) {
    return is_not("it cannot be read");
  }
  result.reference = lines[0];
  result.image = Digest::parse(lines[1])->hex();
  return result;
}

Result<void> PartCheck::image_of(const Name& name) const {
  const auto record = fmt::format("images/{}.json", name.image);
  return is_there(record) && !m_damaged.contains(record) ? Result<void>() : is_not("its image is gone or damaged");
}

Result<void> PartCheck::json(const std::string& path) const {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(full(path)));
  return nlohmann::json::accept(text) ? Result<void>() : is_not("it is no JSON");
}

} // namespace sheaf::app
