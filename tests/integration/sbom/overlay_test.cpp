// SPDX-License-Identifier: Apache-2.0
// What a TreeStack shows is what the kernel's overlayfs shows of the same trees.

#include "os/namespaces.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>

#include <random>

#include "sbom/inventory.hpp"
#include "unit/sbom/sbom_support.hpp"

namespace sheaf::sbom {
namespace {

using Random = std::mt19937;

unsigned below(Random& random, unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random); }

/// One random entry of the tree, if nothing is in its way.
void add_entry(Random& random, const TestTrees& trees, const std::string& tree) {
  const auto root = trees.path(tree, "");
  std::string path;
  for (auto depth = below(random, 4) + 1; depth > 0; --depth) {
    if (!path.empty() && os::exists(root + path) && !os::is_directory(root + path)) {
      return;
    }
    path += (path.empty() ? "" : "/") + std::string(1, static_cast<char>('a' + below(random, 2)));
  }
  const auto kind = below(random, 6);
  if (kind == 0 && os::is_directory(root + path)) {
    EXPECT_TRUE(trees.opaque(tree, path));
  } else if (os::exists(root + path)) {
    return;
  } else if (kind <= 1) {
    trees.deletion(tree, path);
  } else if (kind == 2) {
    trees.link(tree, path, "a/b");
  } else if (kind == 3) {
    trees.folder(tree, path);
    EXPECT_TRUE(trees.opaque(tree, path));
  } else {
    trees.file(tree, path, tree, 0600 + below(random, 64));
  }
}

TEST(TreeStackLaws, ShowsWhatOverlayfsShows) {
  if (os::effective_uid() != 0 || !os::in_initial_user_namespace()) {
    GTEST_SKIP() << "needs root for trusted attributes and mounts";
  }
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    TestTrees trees;
    for (const auto* tree : {"1", "2", "3", "4"}) {
      trees.add(tree);
      for (auto count = below(random, 12); count > 0; --count) {
        add_entry(random, trees, tree);
      }
    }
    const auto mount = os::mount_overlay({trees.trees(), "", "", false});
    ASSERT_TRUE(mount) << mount.error().summary();
    const auto mounted = TreeStack::open({"/proc/self/fd/" + std::to_string(mount->get())});
    ASSERT_TRUE(mounted) << mounted.error().summary();
    const auto seen = inventory_of(*mounted);
    ASSERT_TRUE(seen) << seen.error().summary();
    EXPECT_EQ(layer::serialise(inventory_of(trees.stack()).value()), layer::serialise(*seen));
  }
}

} // namespace
} // namespace sheaf::sbom
