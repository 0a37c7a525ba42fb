// SPDX-License-Identifier: Apache-2.0
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "context/content_digest.hpp"
#include "context/digest_cache.hpp"
#include "unit/context/context_support.hpp"

namespace sheaf::context {
namespace {

class DigestFiles : public InTree {
protected:
  Digest digest(DigestCache* cache = nullptr, Owners owners = Owners::ignored) const {
    const auto selected = select(tree(), {{"."}, {}, false}, nullptr).value();
    return digest_of(tree(), selected, owners, cache).value();
  }
  std::string cache_path() const { return beside("cache"); }
  os::FileStamp stamp(const std::string& name) const { return os::stamp(path(name)).value(); }
  /// A stamp that is too young is not trusted.
  static void let_stamps_age() { std::this_thread::sleep_for(std::chrono::milliseconds(40)); }
};

TEST_F(DigestFiles, TimesDoNotCount) {
  file("a/b");
  const auto before = digest();
  const std::array<timespec, 2> times = {timespec{1, 0}, timespec{1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path("a/b").c_str(), times.data(), 0), 0);
  ASSERT_EQ(utimensat(AT_FDCWD, path("a").c_str(), times.data(), 0), 0);
  EXPECT_EQ(digest(), before);
}

TEST_F(DigestFiles, AllElseCounts) {
  file("a", "content");
  link("a", "link");
  std::vector<Digest> seen = {digest()};
  const auto differs = [&](const char* what) {
    seen.push_back(digest());
    EXPECT_EQ(std::count(seen.begin(), seen.end(), seen.back()), 1) << what;
  };
  ASSERT_EQ(chmod(path("a").c_str(), 0600), 0);
  differs("mode");
  ASSERT_TRUE(os::write_file(path("a"), "CONTENT", os::Durable::no, 0600));
  differs("content");
  ASSERT_EQ(unlink(path("link").c_str()), 0);
  link("b", "link");
  differs("target");
  file("b", "");
  differs("a new file");
  ASSERT_TRUE(os::rename(path("b"), path("c")));
  differs("a name");
  folder("d");
  differs("an empty folder");
  if (setxattr(path("a").c_str(), "user.x", "1", 1, 0) == 0) {
    differs("an attribute");
    ASSERT_EQ(setxattr(path("d").c_str(), "user.x", "1", 1, 0), 0);
    differs("a folder's attribute");
  }
}

TEST_F(DigestFiles, OwnersCountIfAsked) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  file("a");
  const auto ignored = digest();
  const auto counted = digest(nullptr, Owners::counted);
  ASSERT_EQ(chown(path("a").c_str(), 12, 34), 0);
  EXPECT_EQ(digest(), ignored);
  EXPECT_NE(digest(nullptr, Owners::counted), counted);
}

TEST_F(DigestFiles, WhatIsRememberedIsNotReadAgain) {
  file("a/x", "1");
  file("a-b", "2");
  let_stamps_age();
  auto first = DigestCache::load(cache_path());
  const auto before = digest(&first);
  ASSERT_TRUE(first.save());
  // A wrong memory shows that nothing is read.
  auto second = DigestCache::load(cache_path());
  EXPECT_EQ(digest(&second), before);
  second.data().learn("a/x", stamp("a/x"), Digest::of("other"));
  ASSERT_TRUE(second.save());
  auto third = DigestCache::load(cache_path());
  EXPECT_NE(digest(&third), before);
  // A changed file is read whatever was remembered.
  ASSERT_TRUE(os::write_file(path("a/x"), "1"));
  EXPECT_EQ(digest(&third), before);
}

TEST_F(DigestFiles, AYoungFileIsNotRemembered) {
  file("young", "1");
  auto cache = DigestCache::load(cache_path());
  digest(&cache);
  const std::scoped_lock lock(cache.data().mutex());
  EXPECT_EQ(cache.data().find("young", stamp("young")), std::nullopt);
}

TEST_F(DigestFiles, ADamagedCacheIsEmpty) {
  file("a", "1");
  let_stamps_age();
  auto cache = DigestCache::load(cache_path());
  const auto before = digest(&cache);
  ASSERT_TRUE(cache.save());
  auto content = os::read_file(cache_path()).value();
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{9}, std::size_t{20}, content.size() / 2, content.size() - 1}) {
    auto damaged = content;
    damaged[at] = static_cast<char>(damaged[at] + 1);
    ASSERT_TRUE(os::write_file(cache_path(), damaged));
    auto loaded = DigestCache::load(cache_path());
    EXPECT_EQ(loaded.data().find("a", stamp("a")), std::nullopt) << at;
    EXPECT_EQ(digest(&loaded), before);
  }
  ASSERT_TRUE(os::write_file(cache_path(), content.substr(0, 10)));
  auto cut = DigestCache::load(cache_path());
  EXPECT_EQ(digest(&cut), before);
}

TEST_F(DigestFiles, FifosAreNotOpened) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  file("a");
  EXPECT_EQ(digest(), digest());
}

} // namespace
} // namespace sheaf::context
