// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "context/selection.hpp"
#include "unit/context/context_support.hpp"

namespace sheaf::context {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SelectFiles : public InTree {
protected:
  std::vector<std::string> run(const Selection& selection, const std::vector<std::string>& ignore = {}) const {
    const auto patterns = ignoring(ignore);
    return names(select(tree(), selection, &patterns).value());
  }
  Error failure(const Selection& selection, const std::vector<std::string>& ignore = {}) const {
    const auto patterns = ignoring(ignore);
    return select(tree(), selection, &patterns).error();
  }
};

TEST_F(SelectFiles, AFileIsItsNameAndAFolderItsContents) {
  file("a.txt");
  file("dir/b");
  file("dir/a/x");
  file("dir/a-b");
  EXPECT_THAT(run({{"a.txt"}, {}, false}), ElementsAre("a.txt>a.txt"));
  EXPECT_THAT(run({{"/dir/"}, {}, false}), ElementsAre("dir>/", "dir/a>a/", "dir/a/x>a/x", "dir/a-b>a-b", "dir/b>b"));
}

TEST_F(SelectFiles, WildcardsStandForOneComponent) {
  file("one.txt");
  file("two.txt");
  file("src/a/main.c");
  file("src/b/main.c");
  file("src/b/deep/main.c");
  EXPECT_THAT(run({{"*.txt"}, {}, false}), ElementsAre("one.txt>one.txt", "two.txt>two.txt"));
  EXPECT_THAT(run({{"src/*/main.c"}, {}, false}), ElementsAre("src/a/main.c>main.c", "src/b/main.c>main.c"));
  EXPECT_THAT(run({{"nothing*"}, {}, false}), IsEmpty());
  EXPECT_EQ(failure({{"missing/*"}, {}, false}).code(), ErrorCode::not_found);
}

TEST_F(SelectFiles, ParentsStopAtTheTop) {
  file("a");
  EXPECT_THAT(run({{"../../a"}, {}, false}), ElementsAre("a>a"));
  EXPECT_THAT(run({{"x/../../a"}, {}, false}), ElementsAre("a>a"));
}

TEST_F(SelectFiles, LinksThatAreNamedAreFollowedInTheTree) {
  file("real/file");
  link("real", "dir");
  link("/real/file", "absolute");
  link("../../../../real/file", "climbing");
  link("/etc/passwd", "outside");
  EXPECT_THAT(run({{"dir"}, {}, false}), ElementsAre("real>/", "real/file>file"));
  EXPECT_THAT(run({{"dir/file"}, {}, false}), ElementsAre("real/file>file"));
  EXPECT_THAT(run({{"absolute"}, {}, false}), ElementsAre("real/file>absolute"));
  EXPECT_THAT(run({{"climbing"}, {}, false}), ElementsAre("real/file>climbing"));
  EXPECT_EQ(failure({{"outside"}, {}, false}).code(), ErrorCode::not_found);
}

TEST_F(SelectFiles, LinksInsideStayLinks) {
  folder("dir");
  link("/etc/passwd", "dir/link");
  const auto selected = select(tree(), {{"dir"}, {}, false}, nullptr).value();
  ASSERT_EQ(selected.at(0).entries.size(), 2U);
  EXPECT_EQ(selected[0].entries[1].type, DT_LNK);
}

TEST_F(SelectFiles, ALinkToItselfIsAnError) {
  link("loop", "loop");
  EXPECT_THAT(failure({{"loop"}, {}, false}).summary(), HasSubstr("Too many levels"));
}

TEST_F(SelectFiles, SaysWhatIsMissingAndWhy) {
  file("secret.env");
  EXPECT_EQ(failure({{"nothere"}, {}, false}).summary(), "there is no '/nothere' to copy");
  const auto ignored = failure({{"secret.env"}, {}, false}, {"*.env"});
  EXPECT_EQ(ignored.code(), ErrorCode::not_found);
  EXPECT_EQ(ignored.summary(), "'/secret.env' is there, but the ignore file excludes it");
  EXPECT_THAT(ignored.hint(), HasSubstr("'!secret.env'"));
  EXPECT_EQ(failure({{"secret.env/x"}, {}, false}).code(), ErrorCode::not_found);
}

TEST_F(SelectFiles, IgnoredFilesAreNotThere) {
  file("a/keep/x");
  file("a/drop/x");
  file("b.log");
  file("c");
  EXPECT_THAT(run({{"."}, {}, false}, {"a", "!a/keep", "*.log"}),
              ElementsAre(">/", "a>a/", "a/keep>a/keep/", "a/keep/x>a/keep/x", "c>c"));
  EXPECT_THAT(run({{"*"}, {}, false}, {"a", "*.log"}), ElementsAre("c>c"));
  EXPECT_THAT(run({{"a"}, {}, false}, {"a", "!a/keep"}), ElementsAre("a>/", "a/keep>keep/", "a/keep/x>keep/x"));
  EXPECT_EQ(failure({{"a"}, {}, false}, {"a", "!a/nothing"}).code(), ErrorCode::not_found);
  EXPECT_THAT(run({{"."}, {}, false}, {"*"}), ElementsAre(">/"));
}

TEST_F(SelectFiles, AnIgnoredLinkCannotBeFollowed) {
  file("real");
  link("real", "link");
  EXPECT_EQ(failure({{"link"}, {}, false}, {"link"}).code(), ErrorCode::not_found);
  EXPECT_EQ(failure({{"link"}, {}, false}, {"real"}).code(), ErrorCode::not_found);
}

TEST_F(SelectFiles, ExcludesAreRelativeToTheSource) {
  file("dir/a.txt");
  file("dir/sub/b.txt");
  file("dir/sub/c");
  file("home.txt");
  file("home.md");
  EXPECT_THAT(run({{"dir"}, {"*.txt"}, false}),
              ElementsAre("dir>/", "dir/sub>sub/", "dir/sub/b.txt>sub/b.txt", "dir/sub/c>sub/c"));
  EXPECT_THAT(run({{"dir"}, {"**/*.txt"}, false}), ElementsAre("dir>/", "dir/sub>sub/", "dir/sub/c>sub/c"));
  EXPECT_THAT(run({{"home*"}, {"*.txt"}, false}), ElementsAre("home.md>home.md"));
  const auto selected = select(tree(), {{"dir"}, {"sub", "!sub/c"}, false}, nullptr).value();
  EXPECT_THAT(names(selected), ElementsAre("dir>/", "dir/a.txt>a.txt", "dir/sub>sub/", "dir/sub/c>sub/c"));
  EXPECT_TRUE(selected[0].entries[2].is_parent);
}

TEST_F(SelectFiles, ParentsKeepFolders) {
  file("x/a/one.txt");
  file("x/b/two.txt");
  file("x/b/three.c");
  file("other");
  EXPECT_THAT(run({{"x/a/one.txt"}, {}, true}), ElementsAre(">/", "x>x/", "x/a>x/a/", "x/a/one.txt>x/a/one.txt"));
  EXPECT_THAT(run({{"./x/*/*.txt"}, {}, true}),
              ElementsAre(">/", "x>x/", "x/a>x/a/", "x/a/one.txt>x/a/one.txt", "x/b>x/b/", "x/b/two.txt>x/b/two.txt"));
  EXPECT_THAT(run({{"x/./b"}, {}, true}),
              ElementsAre("x>/", "x/b>b/", "x/b/three.c>b/three.c", "x/b/two.txt>b/two.txt"));
  EXPECT_THAT(run({{"x/*/./*.txt"}, {}, true}),
              ElementsAre("x/a>/", "x/a/one.txt>one.txt", "x/b>/", "x/b/two.txt>two.txt"));
  EXPECT_EQ(failure({{"x/none"}, {}, true}).code(), ErrorCode::not_found);
  const auto selected = select(tree(), {{"x/a"}, {}, true}, nullptr).value();
  EXPECT_TRUE(selected[0].entries[1].is_parent);
  EXPECT_FALSE(selected[0].entries[2].is_parent);
}

TEST_F(SelectFiles, AnyNameWillDo) {
  file("dir/a\nb");
  file("dir/\xFF\xFE");
  EXPECT_THAT(run({{"dir"}, {}, false}), ElementsAre("dir>/", "dir/a\nb>a\nb", "dir/\xFF\xFE>\xFF\xFE"));
  EXPECT_THAT(run({{"dir/\xFF*"}, {}, false}), ElementsAre("dir/\xFF\xFE>\xFF\xFE"));
}

TEST_F(SelectFiles, SocketsAreLeftOut) {
  folder("dir");
  const os::Fd socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = path("dir/s");
  ASSERT_LT(name.size(), sizeof address.sun_path);
  name.copy(static_cast<char*>(address.sun_path), name.size());
  ASSERT_EQ(bind(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0); // NOLINT
  ASSERT_EQ(mkfifo(path("dir/fifo").c_str(), 0600), 0);
  EXPECT_THAT(run({{"dir"}, {}, false}), ElementsAre("dir>/", "dir/fifo>fifo"));
  EXPECT_EQ(failure({{"dir/s"}, {}, false}).code(), ErrorCode::unsupported);
}

} // namespace
} // namespace sheaf::context
