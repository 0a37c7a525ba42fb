// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "unit/net/prepared_server.hpp"

namespace sheaf::net {
namespace {

using testing::HasSubstr;

const std::string k_found = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"v1\"\r\nConnection: close\r\n"
                            "Content-Disposition: attachment; filename=\"../x.tar\"\r\n\r\nhello";
const std::string k_busy = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const std::string k_missing = "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const std::string k_cut = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello";

TEST(Http, DownloadsAFileAndItsVersion) {
  const PreparedServer server({k_found});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  const auto version = download(server.url("/x"), folder.path() + "/x", {});
  ASSERT_TRUE(version) << version.error().render();
  EXPECT_EQ(version->etag, "\"v1\"");
  EXPECT_EQ(version->size, 5U);
  EXPECT_EQ(version->name, "x.tar");
  EXPECT_EQ(os::read_file(folder.path() + "/x").value(), "hello");
}

TEST(Http, TriesAgainWhenTheServerIsBusy) {
  const PreparedServer server({k_busy, k_found});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  EXPECT_TRUE(download(server.url("/x"), folder.path() + "/x", {}));
  EXPECT_EQ(server.connections(), 2);
}

TEST(Http, AMissingFileIsNotAskedForAgain) {
  const PreparedServer server({k_missing});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  const auto version = download(server.url("/x"), folder.path() + "/x", {});
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), ErrorCode::not_found);
  EXPECT_THAT(version.error().render(), HasSubstr("status 404"));
  EXPECT_EQ(server.connections(), 1);
}

TEST(Http, ATransferThatWasCutLeavesNoFile) {
  const PreparedServer server({k_cut});
  const auto folder = os::TempDir::create(testing::TempDir(), "http-").value();
  const auto version = download(server.url("/x"), folder.path() + "/x", {});
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), ErrorCode::network);
  EXPECT_TRUE(os::list_directory(folder.path()).value().empty());
}

TEST(Http, PasswordsAreNotShown) {
  EXPECT_EQ(without_credentials("https://me:secret@example.org/a@b"), "https://example.org/a@b");
  EXPECT_EQ(without_credentials("https://example.org/a@b"), "https://example.org/a@b");
  EXPECT_EQ(without_credentials("git@example.org:a"), "git@example.org:a");
  const auto failed = download("http://me:secret@127.0.0.1:1/x", testing::TempDir() + "/never", {});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().render(), testing::Not(HasSubstr("secret")));
}

} // namespace
} // namespace sheaf::net
