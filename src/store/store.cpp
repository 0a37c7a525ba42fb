// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "store/format.hpp"
#include "store/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace sheaf::store {
namespace {

/// Reads every layer's record into a new index; what cannot be read is left out and found missing later.
Result<Index> rebuild(const std::string& root, const std::string& path) {
  for (const auto* suffix : {"", "-journal", "-wal", "-shm"}) {
    SHEAF_TRY(os::remove_file_if_exists(path + suffix).hint("move it away: the index is made anew from the layers"));
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

/// SQLite takes an empty file for a database without tables, and makes one where a dangling link points: all layers
/// would be unknown. Only who makes the index sees it empty, and holds the lock.
Result<Index> open_whole(const std::string& path) {
  if (const auto stamp = os::stamp(path); !stamp || stamp->size == 0) {
    return Error(ErrorCode::corrupt, fmt::format("'{}' is {}", path, stamp ? "empty" : "a dangling link"));
  }
  return Index::open(path);
}

/// Of a directory SQLite says only that it cannot open it; making the index anew then says what is in the way.
bool is_damage(const Error& error, const std::string& path) {
  return error.code() == ErrorCode::corrupt || os::is_directory(path);
}

Result<Index> open_index(const std::string& root) {
  const auto path = root + "/index.db";
  if (os::exists(path)) {
    auto index = open_whole(path);
    if (index || !is_damage(index.error(), path)) {
      return index;
    }
  }
  SHEAF_TRY_ASSIGN(const auto lock, os::FileLock::acquire(root + "/locks/index", os::LockMode::exclusive));
  if (os::exists(path)) { // another process may have rebuilt it while we waited
    auto index = open_whole(path);
    if (index || !is_damage(index.error(), path)) {
      return index;
    }
  }
  return rebuild(root, path);
}

/// Nothing if there is no such file; a directory in its place is an unreadable record.
Result<std::optional<std::string>> read_record(const std::string& path) {
  return os::is_directory(path) ? std::optional(std::string()) : os::read_file_if_exists(path);
}

/// Sealed, and its tree not lost since, as when a removal is broken off.
bool is_whole(const std::string& folder) { return is_intact(folder) && os::is_directory(folder + "/tree"); }

} // namespace

Result<Store> Store::open(const std::string& root) {
  const auto doing = fmt::format("opening the store at '{}'", root);
  if (os::exists(root + "/format")) { // what another sheaf made is not even completed
    SHEAF_TRY(check_format(root).context(doing));
  }
  SHEAF_TRY(check_is_store(root).context(doing));
  SHEAF_TRY(os::make_directories(root).context(doing));
  SHEAF_TRY(check_owner(root).context(doing)); // before anything is made in it
  for (const auto folder : k_first_folders) {
    SHEAF_TRY(os::make_directories(fmt::format("{}/{}", root, folder)).context(doing));
  }
  SHEAF_TRY(check_format(root).context(doing));
  SHEAF_TRY_ASSIGN(auto index, open_index(root).context(doing));
  SHEAF_TRY_ASSIGN(auto in_use, InUse::open(root).context(doing));
  Store store(root, std::move(index), std::move(in_use));
  auto abandoned = Staging::remove_abandoned(root + "/tmp").context(doing);
  if (!abandoned && abandoned.error().errno_value() != EROFS) { // then it can be looked at all the same
    return std::move(abandoned).error();
  }
  store.m_abandoned = abandoned.value_or(0);
  return store;
}

Result<Staging> Store::stage() { return Staging::create(m_root + "/tmp"); }

std::string Store::lock_path(const std::string& key) const { return fmt::format("{}/locks/{}", m_root, key); }

Result<os::FileLock> Store::lock_key(const std::string& key) const {
  return os::FileLock::acquire(lock_path(key), os::LockMode::exclusive);
}

Result<std::optional<os::FileLock>> Store::try_lock_key(const std::string& key) const {
  return os::FileLock::try_acquire(lock_path(key), os::LockMode::exclusive);
}

std::optional<LayerRecord> Store::recipe_record(const RecipeKey& recipe) const {
  const auto text = os::read_file(fmt::format("{}/recipes/{}", m_root, recipe.hex()));
  auto record = text ? parse_layer_record(*text) : Result<LayerRecord>(Error(text.error()));
  return record && record->recipe_key == recipe ? std::optional(std::move(*record)) : std::nullopt;
}

Result<std::optional<StoredLayer>> Store::find(const RecipeKey& recipe) {
  SHEAF_TRY_ASSIGN(auto layer, look_up(recipe));
  if (!layer) {
    return layer;
  }
  SHEAF_TRY(use("layers/" + layer->record.content_key.hex()));
  // It may have been taken away just before: as a whole, by a rename.
  return os::is_directory(layer->tree()) ? std::move(layer) : std::optional<StoredLayer>();
}

/// The files are asked first; where a recipe's record is damaged, the index and the layer's own record still tell.
Result<std::optional<StoredLayer>> Store::look_up(const RecipeKey& recipe) {
  auto record = recipe_record(recipe);
  std::optional<ContentKey> content = record ? std::optional(record->content_key) : std::nullopt;
  if (!content) {
    const std::scoped_lock lock(m_shared->mutex);
    SHEAF_TRY_ASSIGN(content, m_shared->index.content_of(recipe));
  }
  if (!content) {
    return std::optional<StoredLayer>();
  }
  SHEAF_TRY_ASSIGN(auto layer, load(*content));
  if (layer && record) { // two recipes may give one content; what differs between them is the recipe's own record
    layer->record = std::move(*record);
  }
  return layer;
}

Result<std::optional<StoredLayer>> Store::find(const ContentKey& content) {
  SHEAF_TRY(use("layers/" + content.hex()));
  return load(content);
}

Result<std::optional<StoredLayer>> Store::load(const ContentKey& content) {
  const auto path = layer_path(content);
  // What is no layer at the first look may have been taken away since its record was read, as a whole by a rename.
  for (int look = 0; look < 2; ++look) {
    SHEAF_TRY_ASSIGN(const auto text, read_record(path + "/layer.json"));
    if (!text) {
      return std::optional<StoredLayer>();
    }
    auto record = parse_layer_record(*text);
    if (record && record->content_key == content && os::is_directory(path + "/tree")) {
      return std::optional(StoredLayer{std::move(*record), path});
    }
  }
  const std::scoped_lock lock(m_shared->damage_mutex);
  if (m_shared->known_damage.insert(path).second) {
    m_shared->damaged.push_back(path);
  }
  return std::optional<StoredLayer>();
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
    SHEAF_TRY_ASSIGN(auto layer, look_up(key));
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

Result<std::vector<StoredLayer>> Store::relatives(const std::string& name) {
  constexpr std::size_t k_of_this_name = 8;
  constexpr std::size_t k_in_all = 64;
  std::vector<RecipeKey> keys;
  {
    const std::scoped_lock lock(m_shared->mutex);
    SHEAF_TRY_ASSIGN(keys, m_shared->index.history(name));
    keys.resize(std::min(keys.size(), k_of_this_name));
    SHEAF_TRY_ASSIGN(const auto others, m_shared->index.latest(k_in_all - keys.size()));
    std::ranges::copy_if(others, std::back_inserter(keys),
                         [&keys](const RecipeKey& key) { return std::ranges::find(keys, key) == keys.end(); });
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
  std::ranges::stable_sort(layers, std::ranges::greater(), [this](const auto& layer) { return built_at(layer); });
  return layers;
}

std::pair<std::int64_t, std::int64_t> Store::built_at(const StoredLayer& layer) const {
  const auto stamp = os::stamp(fmt::format("{}/recipes/{}", m_root, layer.record.recipe_key.hex()));
  const bool is_from_the_future = layer.record.created > std::time(nullptr); // of a clock that was wrong
  return {is_from_the_future ? 0 : layer.record.created, stamp ? stamp->mtime_ns : 0};
}

bool Store::is_lost(const RecipeKey& recipe) const {
  if (!os::exists(fmt::format("{}/recipes/{}", m_root, recipe.hex()))) {
    return false;
  }
  const auto record = recipe_record(recipe);
  if (!record) {
    return true;
  }
  const auto path = layer_path(record->content_key);
  const auto own = os::read_file(path + "/layer.json");
  return !own || !parse_layer_record(*own) || !os::is_directory(path + "/tree");
}

Result<void> Store::check_index() {
  const std::scoped_lock lock(m_shared->mutex);
  SHEAF_TRY(m_shared->index.check());
  SHEAF_TRY_ASSIGN(const auto rows, m_shared->index.rows());
  const std::map<RecipeKey, ContentKey> indexed(rows.begin(), rows.end());
  SHEAF_TRY_ASSIGN(const auto recipes, os::list_directory(m_root + "/recipes"));
  for (const auto& entry : recipes) {
    const auto key = Digest::parse(entry.name);
    const auto record = key ? recipe_record(RecipeKey{*key}) : std::nullopt;
    const auto row = key ? indexed.find(RecipeKey{*key}) : indexed.end();
    if (record && row == indexed.end()) { // killed between the two
      ignore(m_shared->index.add(*record), "completing the index, which may be read-only");
    } else if (record && row->second != record->content_key) {
      return Error(ErrorCode::corrupt, fmt::format("it says something else of the build of '{}'", record->name));
    }
  }
  return {};
}

Result<void> Store::rebuild_index() {
  const std::scoped_lock lock(m_shared->mutex);
  SHEAF_TRY_ASSIGN(const auto alone, os::FileLock::acquire(m_root + "/locks/index", os::LockMode::exclusive));
  SHEAF_TRY_ASSIGN(m_shared->index, rebuild(m_root, m_root + "/index.db"));
  return {};
}

namespace {

/// Does the record of the recipe still say that it gave this content? It may have been built again since, with another
/// result. A damaged one says nothing else.
bool is_current(const std::string& path, const RecipeKey& recipe, const ContentKey& content) {
  const auto text = os::read_file(path);
  const auto record = text ? parse_layer_record(*text) : Result<LayerRecord>(Error(text.error()));
  return !record || record->recipe_key != recipe || record->content_key == content;
}

} // namespace

Result<void> Store::forget(const std::vector<ContentKey>& contents) {
  const std::scoped_lock lock(m_shared->mutex);
  std::vector<RecipeKey> rows;
  std::vector<std::string> records;
  for (const auto& content : contents) {
    SHEAF_TRY_ASSIGN(auto recipes, m_shared->index.recipes_of(content));
    rows.insert(rows.end(), recipes.begin(), recipes.end());
    SHEAF_TRY_ASSIGN(const auto layer, load(content)); // the index may lack what was committed last
    if (layer) {
      recipes.push_back(layer->record.recipe_key);
    }
    for (const auto& recipe : recipes) {
      auto path = fmt::format("{}/recipes/{}", m_root, recipe.hex());
      if (is_current(path, recipe, content)) {
        records.push_back(std::move(path));
      }
    }
  }
  for (const auto& path : records) {
    SHEAF_TRY(os::remove_file_if_exists(path));
  }
  if (!records.empty()) { // before the layers go, also on the disk
    SHEAF_TRY(os::sync_directory(m_root + "/recipes"));
  }
  return rows.empty() ? Result<void>() : m_shared->index.remove(rows);
}

Result<std::vector<ContentKey>> Store::lost_contents() {
  const std::scoped_lock lock(m_shared->mutex);
  SHEAF_TRY_ASSIGN(const auto rows, m_shared->index.rows());
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(m_root + "/layers"));
  std::set<std::string> there;
  std::ranges::transform(entries, std::inserter(there, there.end()), &os::DirectoryEntry::name);
  std::vector<ContentKey> lost;
  for (const auto& [recipe, content] : rows) {
    if (!there.contains(content.hex())) {
      lost.push_back(content);
    }
  }
  return lost;
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
  SHEAF_TRY(use("layers/" + record.content_key.hex()).context(doing));
  SHEAF_TRY(os::write_file(directory + "/layer.json", text).context(doing));
  SHEAF_TRY(move_damaged_away(record.content_key, directory + ".damaged").context(doing));
  if (!os::exists(path)) {
    // Everything of the layer is on disk before its name is: a crash leaves a whole layer or none.
    SHEAF_TRY(os::sync_file_system(directory).context(doing));
  }
  // Until the index knows it: the collector would take it for one that was lost, and forget its recipe.
  SHEAF_TRY_ASSIGN(const auto gate, publish().context(doing));
  if (!os::exists(path)) {
    if (auto renamed = os::rename(directory, path); !renamed && !os::exists(path)) {
      return std::move(renamed).context(doing).error();
    }
    SHEAF_TRY(os::sync_directory(m_root + "/layers").context(doing));
  }
  SHEAF_TRY(write_file(m_root, fmt::format("{}/recipes/{}", m_root, record.recipe_key.hex()), text, os::Durable::yes)
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
  if (!use(kind + "/" + key.hex())) {
    return std::nullopt;
  }
  return is_whole(path) ? std::optional(std::move(path)) : std::nullopt;
}

Result<std::string> Store::commit_sealed(const std::string& directory, const std::string& kind, const Digest& key) {
  SHEAF_TRY_ASSIGN(const auto parent, folder(kind));
  auto path = fmt::format("{}/{}", parent, key.hex());
  SHEAF_TRY(use(kind + "/" + key.hex()));
  SHEAF_TRY(seal(directory));
  SHEAF_TRY(put(directory, path, [&] { return is_whole(path); }));
  return path;
}

Result<void> Store::put(const std::string& directory, const std::string& path, const std::function<bool()>& is_whole) {
  std::optional<os::FileLock> alone;
  if (os::exists(path) && !is_whole()) { // cut short by a crash, or kept by an older sheaf
    SHEAF_TRY_ASSIGN(alone, lock_key("replace"));
  }
  if (alone && os::exists(path) && !is_whole()) { // and nobody has replaced it since, who may be using it by now
    SHEAF_TRY_ASSIGN(auto trash, Staging::create(m_root + "/tmp"));
    SHEAF_TRY(os::rename(path, trash.file("damaged")));
  }
  if (os::exists(path)) {
    return {};
  }
  auto renamed = os::rename(directory, path);
  return renamed || is_whole() ? Result<void>() : std::move(renamed);
}

Result<std::string> Store::folder(const std::string& name) const {
  auto path = m_root + "/" + name;
  SHEAF_TRY(os::make_directories(path));
  if (name.starts_with("cache/") || name.starts_with("generations/")) {
    SHEAF_TRY(use(name));
    SHEAF_TRY(os::make_directories(path)); // it may have been taken away just before
  }
  return path;
}

Result<std::string> Store::log_path(const std::string& name) const {
  SHEAF_TRY_ASSIGN(const auto logs, folder("logs"));
  SHEAF_TRY(use("logs/" + name));
  return fmt::format("{}/{}", logs, name);
}

std::string default_root() {
  if (auto root = os::environment("SHEAF_ROOT")) {
    return *root;
  }
  if (auto data = os::environment("XDG_DATA_HOME")) {
    return *data + "/sheaf";
  }
  return os::home_directory() + "/.local/share/sheaf";
}

} // namespace sheaf::store
