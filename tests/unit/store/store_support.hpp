// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "os/file.hpp"
#include "store/store.hpp"

#include <gtest/gtest.h>

namespace sheaf::store {

inline LayerRecord record(const std::string& name, const std::string& recipe, const std::string& content) {
  LayerRecord record;
  record.name = name;
  record.kind = "tool";
  record.recipe_key.digest = Digest::of(recipe);
  record.content_key.digest = Digest::of(content);
  record.needs = {"base"};
  record.config.environment = {{"PATH", "/a:/b"}};
  record.config.command = {"sh", "-c", "echo \"hi\"\n"};
  record.epoch = 1'700'000'000;
  record.bytes = 12;
  record.files = 3;
  record.created = 5;
  record.build_ms = 70;
  record.inputs = {{"name", name}};
  return record;
}

class InStore : public testing::Test {
protected:
  std::string path(const std::string& name) const { return root() + "/" + name; }
  std::string root() const { return m_directory.path() + "/store"; }
  Store open() const { return Store::open(root()).value(); }

  /// Stages and commits a layer with one file.
  static StoredLayer commit(Store& store, const LayerRecord& record) {
    auto staging = store.stage().value();
    EXPECT_TRUE(os::make_directories(staging.file("layer/tree")));
    EXPECT_TRUE(os::write_file(staging.file("layer/inventory"), "sheaf-inventory 1\n"));
    return store.commit(staging.file("layer"), record).value();
  }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-store-").value();
};

} // namespace sheaf::store
