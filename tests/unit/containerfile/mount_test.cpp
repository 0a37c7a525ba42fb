// SPDX-License-Identifier: Apache-2.0
#include "containerfile/mount.hpp"

#include <gmock/gmock.h>

namespace sheaf::containerfile {
namespace {

using testing::ElementsAre;

/// The mounts of one RUN, with `$x` in their values standing for `x`.
struct Mounts {
  std::shared_ptr<const SourceText> source;
  Diagnostics diagnostics;
  std::vector<Mount> mounts;

  explicit Mounts(const std::string& flags, const std::string& x = "")
      : source(std::make_shared<SourceText>("f", "RUN " + flags + " make")) {
    auto lexed = lex(source, diagnostics);
    const auto node = parse_node(std::move(lexed.lines.at(0)));
    for (const auto& flag : node.flags) {
      const auto read = parse_mount(source, node.line, flag, diagnostics);
      const auto expand = [&](const Word& word) { return word.text == "$x" ? x : word.text; };
      if (auto mount = read ? resolve_mount(source, *read, expand, diagnostics) : std::nullopt) {
        mounts.push_back(std::move(*mount));
      }
    }
  }
  /// "what the error points at: rule"
  std::vector<std::string> errors() const {
    std::vector<std::string> errors;
    for (const auto& one : diagnostics.all()) {
      const auto text = source->text().substr(one.span.begin, one.span.end - one.span.begin);
      errors.push_back(std::string(text) + ": " + one.rule);
    }
    return errors;
  }
};

TEST(Mount, HasDefaultsByType) {
  const Mounts read("--mount=target=/a --mount=type=cache,dst=/b --mount=type=tmpfs,destination=/c "
                    "--mount=type=secret,id=d --mount=type=ssh");
  ASSERT_EQ(read.mounts.size(), 5U) << read.diagnostics.render();
  EXPECT_EQ(read.mounts[0].type, Mount::Type::bind);
  EXPECT_TRUE(read.mounts[0].read_only);
  EXPECT_EQ(read.mounts[1].target, "/b");
  EXPECT_EQ(read.mounts[1].id, "/b");
  EXPECT_FALSE(read.mounts[1].read_only);
  EXPECT_EQ(read.mounts[1].sharing, Mount::Sharing::shared);
  EXPECT_EQ(read.mounts[2].target, "/c");
  EXPECT_FALSE(read.mounts[2].size);
  EXPECT_EQ(read.mounts[3].id, "d");
  EXPECT_EQ(read.mounts[3].target, "");
  EXPECT_EQ(read.mounts[4].id, "default");
}

TEST(Mount, TakesEveryOption) {
  const Mounts read("--mount=from=img,src=/s,target=t,readwrite "
                    "--mount=type=cache,id=i,target=/c,ro,sharing=PRIVATE,from=seed,source=/p,uid=1,gid=2,mode=750 "
                    "--mount=type=secret,source=tok,target=/run/x,env=TOK,required=1,mode=0400,uid=5 "
                    "--mount=target=/t,type=tmpfs,size=64m");
  ASSERT_EQ(read.mounts.size(), 4U) << read.diagnostics.render();
  EXPECT_EQ(read.mounts[0].from, "img");
  EXPECT_EQ(read.mounts[0].source, "/s");
  EXPECT_TRUE(read.mounts[0].read_write);
  EXPECT_FALSE(read.mounts[0].read_only);
  EXPECT_EQ(read.mounts[1].sharing, Mount::Sharing::private_copy);
  EXPECT_TRUE(read.mounts[1].read_only);
  EXPECT_EQ(read.mounts[1].uid, 1U);
  EXPECT_EQ(read.mounts[1].gid, 2U);
  EXPECT_EQ(read.mounts[1].mode, 0750U);
  EXPECT_EQ(read.mounts[2].id, "tok");
  EXPECT_EQ(read.mounts[2].source, "");
  EXPECT_EQ(read.mounts[2].environment, "TOK");
  EXPECT_TRUE(read.mounts[2].required);
  EXPECT_EQ(read.mounts[3].size, 64ULL << 20U);
}

TEST(Mount, ASecretIsNamedByItsTarget) {
  const Mounts read("--mount=type=secret,target=/run/secrets/npm/");
  ASSERT_EQ(read.mounts.size(), 1U);
  EXPECT_EQ(read.mounts[0].id, "npm");
}

TEST(Mount, ReadsSizesInPowersOf1024) {
  const std::vector<std::pair<std::string, std::uint64_t>> sizes = {
      {"0", 0}, {"1024", 1024}, {"1k", 1024}, {"2KB", 2048}, {"1.5GiB", 1610612736}, {"3b", 3}, {"1T", 1ULL << 40U}};
  for (const auto& [text, bytes] : sizes) {
    const Mounts read("--mount=type=tmpfs,target=/t,size=" + text);
    ASSERT_EQ(read.mounts.size(), 1U) << text;
    EXPECT_EQ(read.mounts[0].size, bytes) << text;
  }
  for (const std::string text : {"", "m", "1x", "1mm", "1.2.3", "-1", "99999999999p"}) {
    EXPECT_THAT(Mounts("--mount=type=tmpfs,target=/t,size=" + text).errors(), ElementsAre(text + ": bad-value"))
        << text;
  }
}

TEST(Mount, IsCheckedAgainWhenVariablesAreKnown) {
  EXPECT_EQ(Mounts("--mount=type=cache,target=/c,sharing=$x", "locked").mounts.at(0).sharing, Mount::Sharing::locked);
  EXPECT_THAT(Mounts("--mount=type=cache,target=/c,sharing=$x", "open").errors(), ElementsAre("$x: bad-value"));
  EXPECT_THAT(Mounts("--mount=type=cache,target=$x", "").errors(),
              ElementsAre("--mount=type=cache,target=$x: missing-mount-target"));
  EXPECT_THAT(Mounts("--mount=type=cache,target=$x", "/./").errors(),
              ElementsAre("--mount=type=cache,target=$x: bad-mount-target"));
}

TEST(Mount, PointsAtTheMistake) {
  EXPECT_THAT(Mounts("--mount=type=cahce,target=/c").errors(), ElementsAre("cahce: bad-mount-type"));
  EXPECT_THAT(Mounts("--mount=type=cache,tagret=/c").errors(), ElementsAre("tagret: unknown-mount-option"));
  EXPECT_THAT(Mounts("--mount=type=cache,\\\ntarget=/c,uid=me").errors(), ElementsAre("me: bad-value"));
  EXPECT_THAT(Mounts("--mount=type=bind,target=/c,required").errors(), ElementsAre("required: bad-mount-option"));
  EXPECT_THAT(Mounts("--mount=").errors(), ElementsAre("--mount=: missing-value"));
}

TEST(Mount, AFieldMayBeQuoted) {
  const Mounts read("--mount=type=secret,\\\"id=a,b\\\",\\\"env=c\\\"\\\"d\\\"");
  ASSERT_EQ(read.mounts.size(), 1U) << read.diagnostics.render();
  EXPECT_EQ(read.mounts[0].id, "a,b");
  EXPECT_EQ(read.mounts[0].environment, "c\"d");
  for (const std::string flag : {"--mount=\\\"type=ssh", "--mount=type=\\\"ssh\\\"", "--mount=\\\"a\\\"b"}) {
    EXPECT_EQ(Mounts(flag).diagnostics.all().at(0).rule, "bad-mount") << flag;
  }
}

} // namespace
} // namespace sheaf::containerfile
