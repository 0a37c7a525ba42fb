// SPDX-License-Identifier: Apache-2.0
#pragma once

// The local store: layers and joins by content, staging areas, locks per key, caches of downloads. Any number of
// processes may use one store; what is committed is complete and never changed. Layout: docs/formats/store.md.

#include "base/digest.hpp"
#include "base/result.hpp"
#include "os/file_lock.hpp"
#include "store/index.hpp"
#include "store/layer_record.hpp"
#include "store/staging.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <set>
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

/// Safe to use from several threads.
class Store {
public:
  /// Opens or creates the store at `root` and removes what killed processes left. `unsupported` if its format is newer.
  static Result<Store> open(const std::string& root);

  const std::string& root() const { return m_root; }
  /// How many abandoned builds were removed when the store was opened.
  int abandoned() const { return m_abandoned; }

  Result<Staging> stage();
  /// One builder per key, over all processes. Waits for the other one.
  Result<os::FileLock> lock_key(const std::string& key);
  /// Nothing if somebody else holds it.
  Result<std::optional<os::FileLock>> try_lock_key(const std::string& key);

  Result<std::optional<StoredLayer>> find(const RecipeKey& recipe);
  Result<std::optional<StoredLayer>> find(const ContentKey& content);
  /// The newest build of every layer name.
  Result<std::vector<StoredLayer>> newest();
  /// Every layer on disk, by content key; damaged ones are left out.
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

  /// "<root>/<name>", made if needed: downloads of one kind, saved plans, logs, workspaces.
  Result<std::string> folder(const std::string& name) const;

private:
  Store(std::string root, Index index)
      : m_root(std::move(root)), m_shared(std::make_unique<Shared>(std::move(index))) {}
  std::string layer_path(const ContentKey& key) const { return m_root + "/layers/" + key.hex(); }
  Result<std::optional<StoredLayer>> load(const ContentKey& content);
  std::optional<std::string> find_sealed(const std::string& kind, const Digest& key) const;
  Result<std::string> commit_sealed(const std::string& directory, const std::string& kind, const Digest& key);
  Result<void> move_damaged_away(const ContentKey& content, const std::string& to);

  struct Shared {
    explicit Shared(Index opened) : index(std::move(opened)) {}
    std::mutex mutex;
    Index index;
    std::mutex damage_mutex; ///< may be taken while `mutex` is held
    std::set<std::string> known_damage;
    std::vector<std::string> damaged; ///< of those the ones nobody was told of
  };
  std::string m_root;
  int m_abandoned = 0;
  std::unique_ptr<Shared> m_shared;
};

/// Where the store is unless told otherwise: $SHEAF_ROOT, else $XDG_DATA_HOME/sheaf, else ~/.local/share/sheaf.
std::string default_root();

} // namespace sheaf::store
