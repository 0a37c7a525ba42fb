// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "store/seal.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

namespace sheaf::store {
namespace {

constexpr std::string_view k_format = "sheaf-store 1\n";

/// The files of a store carry the ids of who made it; for anybody else its layers would have wrong owners.
Result<void> check_owner(const std::string& root) {
  struct stat info {};
  if (stat(root.c_str(), &info) != 0) {
    return Error::from_errno(errno, fmt::format("looking at '{}'", root));
  }
  const bool caller_inside = info.st_uid == os::k_caller_id && !os::in_initial_user_namespace();
  if (info.st_uid != os::effective_uid() && !caller_inside) {
    return Error(ErrorCode::denied, fmt::format("the store at '{}' belongs to another user", root))
        .with_hint("each user has a store of their own; choose another place with --root or SHEAF_ROOT");
  }
  return {};
}

Result<void> check_format(const std::string& root) {
  const auto path = root + "/format";
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(path));
  if (!text) {
    return os::write_file(path, k_format, os::Durable::yes);
  }
  if (*text != k_format) {
    return Error(ErrorCode::unsupported,
                 fmt::format("the store at '{}' has another format than this sheaf knows", root))
        .with_hint("use the sheaf that made it, or another store with --root");
  }
  return {};
}

/// Reads every layer's record into a new index; what cannot be read is left out and found missing later.
Result<Index> rebuild(const std::string& root, const std::string& path) {
  for (const auto* suffix : {"", "-journal", "-wal", "-shm"}) {
    SHEAF_TRY(os::remove_file_if_exists(path + suffix));
  }
  SHEAF_TRY_ASSIGN(auto index, Index::open(path));
  SHEAF_TRY_ASSIGN(const auto recipes, os::list_directory(root + "/recipes"));
  for (const auto& entry : recipes) {
    const auto text = os::read_file(root + "/recipes/" + entry.name);
    const auto record = text ? parse_layer_record(*text) : Result<LayerRecord>(Error(text.error()));
    if (record) {
      SHEAF_TRY(index.add(*record));
    }
  }
  return index;
}

Result<Index> open_index(const std::string& root) {
  const auto path = root + "/index.db";
  if (os::exists(path)) {
    auto index = Index::open(path);
    if (index || index.error().code() != ErrorCode::corrupt) {
      return index;
    }
  }
  SHEAF_TRY_ASSIGN(const auto lock, os::FileLock::acquire(root + "/locks/index", os::LockMode::exclusive));
  if (os::exists(path)) { // another process may have rebuilt it while we waited
    auto index = Index::open(path);
    if (index || index.error().code() != ErrorCode::corrupt) {
      return index;
    }
  }
  return rebuild(root, path);
}

/// Sealed, and its tree not lost since, as when a removal is broken off.
bool is_whole(const std::string& folder) { return is_intact(folder) && os::is_directory(folder + "/tree"); }

} // namespace

Result<Store> Store::open(const std::string& root) {
  const auto doing = fmt::format("opening the store at '{}'", root);
  for (const auto* folder :
       {"", "/layers", "/recipes", "/joins", "/steps", "/step-keys", "/tmp", "/locks", "/cache", "/logs"}) {
    SHEAF_TRY(os::make_directories(root + folder).context(doing));
  }
  SHEAF_TRY(check_owner(root).context(doing));
  SHEAF_TRY(check_format(root).context(doing));
  SHEAF_TRY_ASSIGN(auto index, open_index(root).context(doing));
  Store store(root, std::move(index));
  SHEAF_TRY_ASSIGN(store.m_abandoned, Staging::remove_abandoned(root + "/tmp").context(doing));
  return store;
}

Result<Staging> Store::stage() { return Staging::create(m_root + "/tmp"); }

Result<os::FileLock> Store::lock_key(const std::string& key) {
  return os::FileLock::acquire(fmt::format("{}/locks/{}", m_root, key), os::LockMode::exclusive);
}

Result<std::optional<os::FileLock>> Store::try_lock_key(const std::string& key) {
  return os::FileLock::try_acquire(fmt::format("{}/locks/{}", m_root, key), os::LockMode::exclusive);
}

Result<std::optional<StoredLayer>> Store::find(const RecipeKey& recipe) {
  const std::scoped_lock lock(m_shared->mutex);
  SHEAF_TRY_ASSIGN(const auto content, m_shared->index.content_of(recipe));
  if (!content) {
    return std::optional<StoredLayer>();
  }
  SHEAF_TRY_ASSIGN(auto layer, load(*content));
  if (!layer) {
    SHEAF_TRY(m_shared->index.remove(recipe));
    return layer;
  }
  // Two recipes may give one content; what differs between them is the recipe's own record.
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(fmt::format("{}/recipes/{}", m_root, recipe.hex())));
  if (auto record = text ? parse_layer_record(*text) : Result<LayerRecord>(layer->record)) {
    layer->record = std::move(*record); // else the layer's own record does, which is about another recipe at worst
  }
  return layer;
}

Result<std::optional<StoredLayer>> Store::find(const ContentKey& content) { return load(content); }

Result<std::optional<StoredLayer>> Store::load(const ContentKey& content) {
  const auto path = layer_path(content);
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(path + "/layer.json"));
  if (!text) {
    return std::optional<StoredLayer>();
  }
  auto record = parse_layer_record(*text);
  if (!record || record->content_key != content || !os::is_directory(path + "/tree")) {
    const std::scoped_lock lock(m_shared->damage_mutex);
    if (m_shared->known_damage.insert(path).second) {
      m_shared->damaged.push_back(path);
    }
    return std::optional<StoredLayer>();
  }
  return std::optional(StoredLayer{std::move(*record), path});
}

std::vector<std::string> Store::take_damaged() {
  const std::scoped_lock lock(m_shared->damage_mutex);
  return std::exchange(m_shared->damaged, {});
}

Result<std::vector<StoredLayer>> Store::all() {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(m_root + "/layers"));
  std::vector<StoredLayer> layers;
  for (const auto& entry : entries) {
    const auto digest = Digest::parse(entry.name);
    if (!digest) {
      continue;
    }
    SHEAF_TRY_ASSIGN(auto layer, load(ContentKey{*digest}));
    if (layer) {
      layers.push_back(std::move(*layer));
    }
  }
  return layers;
}

Result<std::vector<StoredLayer>> Store::find_all(const std::vector<RecipeKey>& keys) {
  std::vector<StoredLayer> layers;
  for (const auto& key : keys) {
    SHEAF_TRY_ASSIGN(auto layer, find(key));
    if (layer) {
      layers.push_back(std::move(*layer));
    }
  }
  return layers;
}

Result<std::vector<StoredLayer>> Store::newest() {
  std::vector<RecipeKey> keys;
  {
    const std::scoped_lock lock(m_shared->mutex);
    SHEAF_TRY_ASSIGN(keys, m_shared->index.newest());
  }
  return find_all(keys);
}

Result<std::vector<StoredLayer>> Store::history(const std::string& name) {
  std::vector<RecipeKey> keys;
  {
    const std::scoped_lock lock(m_shared->mutex);
    SHEAF_TRY_ASSIGN(keys, m_shared->index.history(name));
  }
  SHEAF_TRY_ASSIGN(auto layers, find_all(keys));
  const auto when = [this](const StoredLayer& layer) { // small layers take less than the second that records count in
    const auto stamp = os::stamp(fmt::format("{}/recipes/{}", m_root, layer.record.recipe_key.hex()));
    return std::pair(layer.record.created, stamp ? stamp->mtime_ns : 0);
  };
  std::ranges::stable_sort(layers, std::ranges::greater(), when);
  return layers;
}

bool Store::is_lost(const RecipeKey& recipe) const {
  const auto text = os::read_file_if_exists(fmt::format("{}/recipes/{}", m_root, recipe.hex()));
  if (text && !*text) {
    return false;
  }
  const auto record = text ? parse_layer_record(**text) : Result<LayerRecord>(Error(text.error()));
  if (!record) {
    return true;
  }
  const auto path = layer_path(record->content_key);
  const auto own = os::read_file(path + "/layer.json");
  return !own || !parse_layer_record(*own) || !os::is_directory(path + "/tree");
}

Result<std::optional<std::int64_t>> Store::last_build_ms(const std::string& name) {
  const std::scoped_lock lock(m_shared->mutex);
  return m_shared->index.last_build_ms(name);
}

/// A layer without a readable record would stand in the way of its own rebuild.
Result<void> Store::move_damaged_away(const ContentKey& content, const std::string& to) {
  const auto path = layer_path(content);
  if (!os::exists(path)) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto layer, load(content));
  return layer ? Result<void>() : os::rename(path, to);
}

Result<StoredLayer> Store::commit(const std::string& directory, const LayerRecord& record) {
  const auto path = layer_path(record.content_key);
  const auto doing = fmt::format("committing layer '{}'", record.name);
  const auto text = serialise(record);
  SHEAF_TRY(os::write_file(directory + "/layer.json", text).context(doing));
  SHEAF_TRY(move_damaged_away(record.content_key, directory + ".damaged").context(doing));
  if (!os::exists(path)) {
    // Everything of the layer is on disk before its name is: a crash leaves a whole layer or none.
    SHEAF_TRY(os::sync_file_system(directory).context(doing));
    if (auto renamed = os::rename(directory, path); !renamed && !os::exists(path)) {
      return std::move(renamed).context(doing).error();
    }
  }
  SHEAF_TRY(os::write_file(fmt::format("{}/recipes/{}", m_root, record.recipe_key.hex()), text, os::Durable::yes)
                .context(doing));
  const std::scoped_lock lock(m_shared->mutex);
  SHEAF_TRY(m_shared->index.add(record).context(doing));
  return StoredLayer{record, path};
}

std::optional<std::string> Store::find_join(const Digest& key) const { return find_sealed("joins", key); }

Result<std::string> Store::commit_join(const std::string& directory, const Digest& key) {
  return commit_sealed(directory, "joins", key).context("committing a join layer");
}

std::optional<std::string> Store::find_generated(const Digest& key) const { return find_sealed("generated", key); }

Result<std::string> Store::commit_generated(const std::string& directory, const Digest& key) {
  return commit_sealed(directory, "generated", key).context("committing generated files");
}

std::optional<std::string> Store::find_sealed(const std::string& kind, const Digest& key) const {
  auto path = fmt::format("{}/{}/{}", m_root, kind, key.hex());
  return is_whole(path) ? std::optional(std::move(path)) : std::nullopt;
}

Result<std::string> Store::commit_sealed(const std::string& directory, const std::string& kind, const Digest& key) {
  SHEAF_TRY_ASSIGN(const auto parent, folder(kind));
  auto path = fmt::format("{}/{}", parent, key.hex());
  SHEAF_TRY(seal(directory));
  if (os::exists(path) && !is_whole(path)) { // cut short by a crash
    SHEAF_TRY_ASSIGN(auto trash, Staging::create(m_root + "/tmp"));
    SHEAF_TRY(os::rename(path, trash.file("damaged")));
  }
  if (!os::exists(path)) {
    if (auto renamed = os::rename(directory, path); !renamed && !is_whole(path)) {
      return std::move(renamed).error();
    }
  }
  return path;
}

Result<std::string> Store::folder(const std::string& name) const {
  auto path = m_root + "/" + name;
  SHEAF_TRY(os::make_directories(path));
  return path;
}

std::string default_root() {
  if (auto root = os::environment("SHEAF_ROOT")) {
    return *root;
  }
  if (auto data = os::environment("XDG_DATA_HOME")) {
    return *data + "/sheaf";
  }
  return os::environment("HOME").value_or("/root") + "/.local/share/sheaf";
}

} // namespace sheaf::store
