// SPDX-License-Identifier: Apache-2.0
#pragma once

// Is one part of a store what its name and its records say? docs/concepts/store.md lists the parts.

#include "store/image_record.hpp"
#include "store/layer_record.hpp"
#include "store/store.hpp"

#include <set>
#include <string>

namespace sheaf::app {

/// Finds what is wrong with parts; each function says it as an error.
class PartCheck {
public:
  explicit PartCheck(store::Store& store) : m_store(store) {}

  /// Any part by its path below the store's root. What is gone has nothing wrong with it.
  Result<void> part(const std::string& path) const;

  Result<void> layer(const std::string& hex, store::LayerRecord& record) const;
  Result<void> join(const std::string& hex) const { return sealed("joins/" + hex); }
  Result<void> generated(const std::string& hex) const { return sealed("generated/" + hex); }
  Result<void> step(const std::string& hex) const;
  Result<void> unpacked(const std::string& hex) const;
  Result<void> blob(const std::string& hex) const;
  Result<void> step_key(const std::string& name) const;
  Result<void> blob_record(const std::string& name) const;
  /// Not whether its layer is there.
  Result<store::LayerRecord> recipe(const std::string& hex) const;
  /// Its trees, too. `record` is filled if it can be read.
  Result<void> image(const std::string& hex, store::ImageRecord& record) const;
  /// How many blobs of one that came from outside are gone or damaged: it works without, but cannot leave as it came.
  Result<std::size_t> lost_blobs(const store::ImageRecord& record) const;

  /// What the file `tags/<name>` says.
  struct Name {
    std::string text;
    std::string reference;
    std::string image;
  };
  Result<Name> tag(const std::string& name) const;
  Result<void> image_of(const Name& name) const;

  Result<void> json(const std::string& path) const;

  /// From now on, what needs it is damaged, too.
  void call_damaged(const std::string& path) { m_damaged.insert(path); }

  std::string full(const std::string& path) const;
  bool is_there(const std::string& path) const;

private:
  Result<void> sealed(const std::string& path) const;
  Result<void> tree(const std::string& path, const Digest& exact) const;
  Result<void> record(const std::string& folder, const std::string& name) const;

  store::Store& m_store;
  std::set<std::string> m_damaged;
};

/// What a file that a part is stored as is called.
bool is_part_name(std::string_view name);
/// An error of the part itself: "it is …".
Error is_not(std::string_view what);

} // namespace sheaf::app
