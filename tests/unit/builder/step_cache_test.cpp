// SPDX-License-Identifier: Apache-2.0
#include "builder/step_cache.hpp"
#include "builder/step_log.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

namespace sheaf::builder {
namespace {

class BorrowedStepsTest : public testing::Test {
protected:
  BorrowedStepsTest() {
    cache.find = [this](const Digest& key) -> std::optional<store::StepRecord> {
      const auto found = records.find(key);
      return found != records.end() ? std::optional(found->second) : std::nullopt;
    };
    cache.bring = [this](const std::vector<UsedStep>& steps) -> Result<void> {
      for (const auto& step : steps) {
        brought.push_back(step.key);
      }
      return error ? Result<void>(*error) : Result<void>();
    };
  }
  static store::StepRecord record(const std::string& name, std::uint64_t files = 1) {
    return {name, Digest::of("content " + name), Digest::of("tree " + name), 1, files, 1, 1};
  }
  static store::TreeRef tree(const std::string& name) { return {record(name).folder(), record(name).content}; }

  os::TempDir directory = os::TempDir::create("/tmp", "borrowed-").value();
  store::Store store = store::Store::open(directory.path() + "/store").value();
  std::map<Digest, store::StepRecord> records = {{Digest::of("a"), record("a")}, {Digest::of("b"), record("b")}};
  std::vector<Digest> brought;
  std::optional<Error> error;
  StepCache cache;
};

TEST_F(BorrowedStepsTest, TreesAreBroughtWhenTheyAreNeededAndOnce) {
  BorrowedSteps borrowed(cache, store);
  EXPECT_EQ(borrowed.find(Digest::of("a")), record("a"));
  EXPECT_EQ(borrowed.find(Digest::of("b")), record("b"));
  EXPECT_FALSE(borrowed.find(Digest::of("c")));
  EXPECT_EQ(borrowed.count(), 2U);
  EXPECT_TRUE(brought.empty());
  ASSERT_TRUE(borrowed.need({tree("a"), tree("other")}));
  ASSERT_TRUE(borrowed.need({tree("a")}));
  EXPECT_EQ(brought, std::vector{Digest::of("a")});
}

TEST_F(BorrowedStepsTest, ATreeThatCannotBeHadBreaksTheBuildUntilItBeginsAgain) {
  BorrowedSteps borrowed(cache, store);
  ASSERT_TRUE(borrowed.find(Digest::of("a")));
  error = Error(ErrorCode::corrupt, "damaged");
  EXPECT_FALSE(borrowed.need({tree("a")}));
  EXPECT_TRUE(borrowed.is_broken());
  records.erase(Digest::of("a"));
  borrowed.begin_again();
  EXPECT_FALSE(borrowed.is_broken());
  EXPECT_EQ(borrowed.count(), 0U);
  EXPECT_FALSE(borrowed.find(Digest::of("a")));
  EXPECT_TRUE(borrowed.need({tree("a")})) << "it was carried out since";
}

TEST_F(BorrowedStepsTest, AStopIsNoReasonToBeginAgain) {
  BorrowedSteps borrowed(cache, store);
  ASSERT_TRUE(borrowed.find(Digest::of("a")));
  error = Error(ErrorCode::cancelled, "stopped");
  EXPECT_FALSE(borrowed.need({tree("a")}));
  EXPECT_FALSE(borrowed.is_broken());
}

TEST_F(BorrowedStepsTest, WithoutACacheThereIsNothing) {
  const StepCache nothing;
  BorrowedSteps borrowed(nothing, store);
  EXPECT_FALSE(borrowed.find(Digest::of("a")));
  EXPECT_FALSE(borrowed.selected(Digest::of("a")));
  EXPECT_TRUE(borrowed.need({tree("a")}));
}

TEST(StepLog, StepsOfAFirstAttemptCountAsRunOnly) {
  StepLog log;
  const UsedStep one{Digest::of("one"), {}};
  const UsedStep two{Digest::of("two"), {}};
  log.carried_out(one);
  log.reused(two);
  log.begin_again();
  log.reused(one);
  log.reused(two);
  EXPECT_EQ(log.count_run(), 1U);
  EXPECT_EQ(log.count_reused(), 1U);
  EXPECT_EQ(log.steps(), (std::vector{one, two}));
}

} // namespace
} // namespace sheaf::builder
