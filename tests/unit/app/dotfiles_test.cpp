// SPDX-License-Identifier: Apache-2.0
#include "app/dotfiles.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace sheaf::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;

class FindDotfiles : public testing::Test {
protected:
  FindDotfiles() {
    auto folder = os::TempDir::create("/tmp", "dotfiles");
    m_folder.emplace(std::move(folder).value());
    m_project.root = os::real_path(m_folder->path()).value();
    m_project.config.origins["dotfiles"] = "sheaf.yml:2";
  }

  std::string write(const std::string& path, const std::string& content, mode_t mode = 0644) {
    const auto whole = m_project.root + "/" + path;
    EXPECT_TRUE(os::make_directories(whole.substr(0, whole.rfind('/'))));
    EXPECT_TRUE(os::write_file(whole, content));
    EXPECT_EQ(::chmod(whole.c_str(), mode), 0);
    return whole;
  }

  Result<Dotfiles> find(const std::string& dotfiles) {
    m_project.config.dotfiles = dotfiles;
    return find_dotfiles(m_project, {});
  }

  std::string text_of(const std::string& dotfiles) {
    const auto found = find(dotfiles);
    return found ? std::string(found->layer->containerfile->text()) : found.error().message();
  }

  const std::string& root() const { return m_project.root; }
  Project& project() { return m_project; }

private:
  std::optional<os::TempDir> m_folder;
  Project m_project;
};

TEST_F(FindDotfiles, NothingWithoutTheSetting) {
  const auto found = find_dotfiles(Project(), {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->layer, nullptr);
}

TEST_F(FindDotfiles, TakesAFolderButItsGit) {
  write("dots/.gitconfig", "[user]");
  write("dots/.config/x/rc", "a");
  write("dots/.git/config", "[core]");
  const auto found = find("dots");
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(found->layer->files, ElementsAre(Key("usual/.config/x/rc"), Key("usual/.gitconfig")));
  EXPECT_EQ(found->layer->kind, catalogue::Kind::project);
  EXPECT_EQ(found->reason, "dotfiles, sheaf.yml:2");
  EXPECT_THAT(found->inputs,
              IsSupersetOf({root() + "/dots/", root() + "/dots/.gitconfig", root() + "/dots/.config/x/"}));
  EXPECT_THAT(found->inputs, Not(testing::Contains(HasSubstr(".git/"))));
}

TEST_F(FindDotfiles, KeepsWhatIsExecutable) {
  write("dots/tool",
        "\x7f"
        "ELF",
        0755);
  write("dots/script", "#!/bin/sh\n", 0755);
  write("dots/template", "#!/bin/sh\n", 0644);
  const auto found = find("dots");
  ASSERT_TRUE(found);
  EXPECT_THAT(found->layer->files, ElementsAre(Key("executable/tool"), Key("plain/template"), Key("usual/script")));
  EXPECT_EQ(found->layer->containerfile->text(), "FROM ${BASE_IMAGE}\n"
                                                 "COPY --chown=dev:dev --chmod=0755 executable/ /home/dev/\n"
                                                 "COPY --chown=dev:dev plain/ /home/dev/\n"
                                                 "COPY --chown=dev:dev usual/ /home/dev/\n"
                                                 "RUN [\"chmod\",\"0644\",\"/home/dev/template\"]\n");
}

TEST_F(FindDotfiles, RefusesLinksAndOtherFoldersOfTheUser) {
  write("dots/.bashrc", "a");
  ASSERT_EQ(::symlink("/etc/passwd", (root() + "/dots/.netrc").c_str()), 0);
  EXPECT_THAT(text_of("dots"), HasSubstr("/dots/.netrc' is a link or no plain file"));
  EXPECT_THAT(text_of("/etc"), HasSubstr("'/etc' lies outside of the project"));
  EXPECT_THAT(text_of("missing"), HasSubstr("missing"));
  ASSERT_TRUE(os::make_directories(root() + "/empty"));
  EXPECT_THAT(text_of("empty"), HasSubstr("there are no files in"));
}

TEST_F(FindDotfiles, TheUsersOwnSettingsMayNameAnyFolder) {
  write("dots/.bashrc", "a");
  project().config.origins["dotfiles"] = "/home/me/.config/sheaf/config.yml:1";
  const auto folder = root() + "/dots";
  project().root = "/nonexistent";
  EXPECT_TRUE(find(folder));
}

TEST_F(FindDotfiles, ARepositoryIsAddedAtItsCommit) {
  const std::string commit(40, 'a');
  EXPECT_EQ(text_of("https://example.org/me/dots.git#" + commit + ":home"),
            "FROM ${BASE_IMAGE}\nADD --chown=dev:dev https://example.org/me/dots.git#" + commit + ":home /home/dev/\n");
  EXPECT_THAT(text_of("https://example.org/me/dots#" + commit), HasSubstr("is not the address of a git repository"));
}

TEST(NamesRepository, TellsAddressesFromFolders) {
  for (const auto* address : {"https://example.org/x.git", "git@example.org:me/x", "ssh://example.org/x.git#main"}) {
    EXPECT_TRUE(names_repository(address)) << address;
  }
  for (const auto* folder : {"dots", "./dots", "~/dots", "/home/me/a:b", "me@home/dots"}) {
    EXPECT_FALSE(names_repository(folder)) << folder;
  }
}

} // namespace
} // namespace sheaf::app
