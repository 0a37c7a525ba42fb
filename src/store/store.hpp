// SPDX-License-Identifier: Apache-2.0
#pragma once

// The local store: layers and joins by content, staging areas, locks per key, caches of downloads. Any number of
// processes may use one store; what is committed is complete and never changed. Layout: docs/formats/store.md.

#include "base/digest.hpp"
#include "base/result.hpp"
#include "oci/reference.hpp"
#include "os/file_lock.hpp"
#include "store/image_record.hpp"
#include "store/in_use.hpp"
#include "store/index.hpp"
#include "store/layer_record.hpp"
#include "store/staging.hpp"
#include "store/step_record.hpp"
#include "store/tree_digest.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::store {

/// A layer on disk.
struct StoredLayer {
  LayerRecord record;
  /// The folder that holds tree/, inventory, facts and layer.json.
  std::string path;
  std::string tree() const { return path + "/tree"; }
  std::string inventory() const { return path + "/inventory"; }
  std::string facts() const { return path + "/facts"; }
};

/// An image and what it is called.
struct StoredImage {
  Digest id;
  ImageRecord record;
  /// Sorted as text; empty for an image that only has an id.
  std::vector<oci::Reference> tags;
};

/// Safe to use from several threads.
class Store {
public:
  /// Opens or creates the store at `root` and removes what killed processes left. `unsupported` if it has another
  /// format than ours (format.hpp).
  static Result<Store> open(const std::string& root);

  const std::string& root() const { return m_root; }
  /// How many abandoned builds were removed when the store was opened.
  int abandoned() const { return m_abandoned; }

  Result<Staging> stage();
  /// From now on what waits for the collector ends with `cancelled` on a stop request.
  void heed(std::stop_token stop) { m_shared->stop = std::move(stop); }
  /// One builder per key, over all processes. Waits for the other one.
  Result<os::FileLock> lock_key(const std::string& key) const;
  std::string lock_path(const std::string& key) const;
  /// Nothing if somebody else holds it.
  Result<std::optional<os::FileLock>> try_lock_key(const std::string& key) const;

  Result<std::optional<StoredLayer>> find(const RecipeKey& recipe);
  Result<std::optional<StoredLayer>> find(const ContentKey& content);
  /// The newest build of every layer name.
  Result<std::vector<StoredLayer>> newest();
  /// Layers that are likely to have files in common with a new build of this name: the newest builds of the name, and
  /// the newest of others. At most 64, however many there are.
  Result<std::vector<StoredLayer>> relatives(const std::string& name);
  /// Builds of layers of this name that are still here, the newest first.
  Result<std::vector<StoredLayer>> history(const std::string& name);
  /// To order builds by: the second that the record says and, for small layers take less, the nanosecond since 1970 in
  /// which the recipe's record came here.
  std::pair<std::int64_t, std::int64_t> built_at(const StoredLayer& layer) const;
  /// Was this recipe built here, while the layer cannot be used: its record or its files are damaged or gone?
  bool is_lost(const RecipeKey& recipe) const;
  /// Every layer on disk, by content key; damaged ones are left out. As in `newest` and `history`, they are not in use
  /// by that.
  Result<std::vector<StoredLayer>> all();
  Result<std::optional<std::int64_t>> last_build_ms(const std::string& name);

  /// Layers that were found damaged since the last call: their paths. They count as missing, and are built again.
  std::vector<std::string> take_damaged();

  /// Makes the staged folder `directory` (tree/, inventory, facts) the layer of `record`: flushed, renamed into place,
  /// indexed. If that content is there already the staged one is left to its owner; if it is there but damaged, the
  /// two change places.
  Result<StoredLayer> commit(const std::string& directory, const LayerRecord& record);

  /// The join layer of this key, if it was made before.
  std::optional<std::string> find_join(const Digest& key) const;
  /// Moves the staged `directory` into place as the join layer of `key` and returns its path.
  Result<std::string> commit_join(const std::string& directory, const Digest& key);

  /// The files a generator made from sources of this key, if it ran before: a folder with tree/ and inventory.
  std::optional<std::string> find_generated(const Digest& key) const;
  /// Moves the staged `directory` into place as the generated files of `key` and returns its path.
  Result<std::string> commit_generated(const std::string& directory, const Digest& key);

  /// An image layer of this blob digest that was unpacked before, if it is whole.
  std::optional<TreeRef> find_unpacked(const Digest& blob) const;
  /// Moves the staged `directory` (with tree/, and what else is to be kept with it) into place as the unpacked layer of
  /// `blob`. `digest` is that of tree/. No data is flushed: see seal.hpp.
  Result<TreeRef> commit_unpacked(const std::string& directory, const Digest& blob, const TreeDigest& digest);

  /// What the step of this key gave, if it was carried out before and its tree is whole.
  std::optional<StepRecord> find_step(const Digest& key) const;
  /// Makes `record` what `find_step(key)` finds if its tree is here, whole; false if it is not.
  Result<bool> adopt_step(const Digest& key, const StepRecord& record);
  /// Moves the staged `directory` (with tree/) into place, or leaves it to its owner if a step that gave the same is
  /// there, and makes it what `find_step(key)` finds. Trees that were found before stay. No data is flushed: as joins,
  /// see seal.hpp.
  Result<void> commit_step(const std::string& directory, const Digest& key, const StepRecord& record);

  /// "<root>/<folder>/tree"
  std::string tree_path(const TreeRef& tree) const { return m_root + "/" + tree.folder + "/tree"; }
  /// Paths of the trees of an image, bottom first. `corrupt` if one was lost or damaged, as by a power failure.
  Result<std::vector<std::string>> trees_of(const ImageRecord& image) const;

  /// Keeps an image, flushed, and returns its id; one that is there already gets the newer record.
  Result<Digest> save_image(const ImageRecord& image);
  /// Gives the image a name, which it takes from another one if need be. The reference must have a tag and no digest.
  Result<void> tag(const oci::Reference& reference, const Digest& image);
  /// The file that changes when the name comes to stand for another image.
  std::string tag_file(const oci::Reference& reference) const;
  /// True if there was such a name. The image stays.
  Result<bool> untag(const oci::Reference& reference);
  /// By id or the beginning of one (4 hex digits or more, with or without "sha256:"), else by name; a name goes before
  /// the beginning of an id. `invalid` if it is neither or several ids begin so.
  Result<std::optional<StoredImage>> find_image(const std::string& name);
  /// The newest first. Damaged records are left out.
  Result<std::vector<StoredImage>> images();

  /// "<root>/<name>", made if needed: downloads of one kind, saved plans, logs, workspaces. A folder of "cache" or
  /// "generations" is in use from then on.
  Result<std::string> folder(const std::string& name) const;
  /// Where the log `name` is written; it stays as long as this process runs.
  Result<std::string> log_path(const std::string& name) const;

  /// Keeps `sheaf gc` from this part of the store (in_use.hpp) as long as this object lives. What `find…`, `commit…`
  /// and `trees_of` give is in use already.
  Result<void> use(std::string_view part) const { return m_shared->in_use->add(part); }
  /// The same for who only looks: `sheaf gc` then does not count it as used.
  Result<void> hold(std::string_view part) const { return m_shared->in_use->hold(part); }
  /// For what outlives this object and goes on using the parts.
  std::shared_ptr<InUse> in_use() const { return m_shared->in_use; }

  /// `corrupt` if the index is damaged or contradicts the recipes' records. What it lacks of them is added.
  Result<void> check_index();
  /// Makes it anew from the records.
  Result<void> rebuild_index();
  /// Forgets the recipes of these contents: their records, and their rows of the index.
  Result<void> forget(const std::vector<ContentKey>& contents);
  /// Of layers that were built here and are gone.
  Result<std::vector<ContentKey>> lost_contents();

private:
  Store(std::string root, Index index, InUse in_use)
      : m_root(std::move(root)), m_shared(std::make_unique<Shared>(std::move(index), std::move(in_use))) {}
  std::string layer_path(const ContentKey& key) const { return m_root + "/layers/" + key.hex(); }
  Result<std::optional<StoredLayer>> load(const ContentKey& content);
  Result<std::optional<StoredLayer>> look_up(const RecipeKey& recipe);
  std::optional<LayerRecord> recipe_record(const RecipeKey& recipe) const;
  Result<std::vector<StoredLayer>> find_all(const std::vector<RecipeKey>& keys);
  std::optional<std::string> find_sealed(const std::string& kind, const Digest& key) const;
  Result<std::string> commit_sealed(const std::string& directory, const std::string& kind, const Digest& key);
  /// Gives `directory` its place, in which something damaged may be.
  Result<void> put(const std::string& directory, const std::string& path, const std::function<bool()>& is_whole);
  Result<void> move_damaged_away(const ContentKey& content, const std::string& to);
  bool has_tree(const std::string& folder) const;
  /// Shared by those who say that something is needed from now on; the collector holds it alone while it looks and
  /// takes away.
  Result<os::FileLock> publish() const;
  Result<std::optional<StoredImage>> load_image(const std::string& hex) const;

  struct Shared {
    Shared(Index opened, InUse used) : index(std::move(opened)), in_use(std::make_shared<InUse>(std::move(used))) {}
    std::mutex mutex;
    Index index;
    std::shared_ptr<InUse> in_use;
    std::mutex damage_mutex; ///< may be taken while `mutex` is held
    std::set<std::string> known_damage;
    std::vector<std::string> damaged; ///< of those the ones nobody was told of
    std::stop_token stop;
  };
  std::string m_root;
  int m_abandoned = 0;
  std::unique_ptr<Shared> m_shared;
};

/// Where the store is unless told otherwise: $SHEAF_ROOT, else $XDG_DATA_HOME/sheaf, else ~/.local/share/sheaf.
std::string default_root();

} // namespace sheaf::store
