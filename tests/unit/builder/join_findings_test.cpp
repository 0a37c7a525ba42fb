// SPDX-License-Identifier: Apache-2.0
#include "builder/join_findings.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::builder {
namespace {

using testing::HasSubstr;

/// Layers on disk without anything in them but what a test adds.
class JoinFindingsTest : public testing::Test {
protected:
  store::StoredLayer layer(const std::string& name, const std::string& base = "") const {
    store::StoredLayer stored;
    stored.record.name = name;
    stored.record.base = base;
    stored.record.content_key.digest = Digest::of(name);
    stored.path = m_folder.path() + "/" + name;
    EXPECT_TRUE(os::make_directories(stored.tree()));
    EXPECT_TRUE(os::write_file(stored.inventory(), layer::serialise({})));
    EXPECT_TRUE(os::write_file(stored.facts(), join::serialise(join::Facts{})));
    return stored;
  }

  os::TempDir m_folder = os::TempDir::create("/tmp", "sheaf-findings-").value();
};

TEST_F(JoinFindingsTest, NothingIsInTheWayOfEmptyLayers) {
  const auto base = layer("base");
  const auto findings = examine_join({base, layer("a", base.record.content_key.hex()), layer("b")});
  ASSERT_TRUE(findings);
  EXPECT_TRUE(findings->conflicts.empty());
  EXPECT_TRUE(findings->files.empty());
}

TEST_F(JoinFindingsTest, LayersOfAnotherPackageGenerationAreRefused) {
  const auto other = layer("other");
  const auto findings = examine_join({layer("base"), layer("a", other.record.content_key.hex())});
  ASSERT_FALSE(findings);
  EXPECT_EQ(findings.error().code(), ErrorCode::invalid);
  EXPECT_THAT(findings.error().message(), HasSubstr("layer 'a' was built on another generation of the base 'base'"));
  EXPECT_THAT(findings.error().hint(), HasSubstr("build it again"));
}

TEST_F(JoinFindingsTest, ADamagedInventoryNamesTheLayer) {
  const auto a = layer("a");
  ASSERT_TRUE(os::write_file(a.inventory(), "rubbish"));
  const auto findings = examine_join({layer("base"), a});
  ASSERT_FALSE(findings);
  EXPECT_EQ(findings.error().code(), ErrorCode::corrupt);
}

TEST_F(JoinFindingsTest, ThePackageOfAPathIsFoundInItsList) {
  const auto a = layer("a");
  ASSERT_TRUE(os::make_directories(a.tree() + "/var/lib/dpkg/info"));
  ASSERT_TRUE(os::write_file(a.tree() + "/var/lib/dpkg/info/tool:amd64.list", "/.\n/usr\n/usr/bin/tool\n"));
  EXPECT_EQ(package_of(a, "/usr/bin/tool"), "tool:amd64");
  EXPECT_EQ(package_of(a, "/usr/bin"), "");
  EXPECT_EQ(package_of(layer("b"), "/usr/bin/tool"), "");
}

} // namespace
} // namespace sheaf::builder
