// SPDX-License-Identifier: Apache-2.0
// The builder with a runtime that runs nothing: "commands" write a file named by their first argument.
#include "builder/image_builder.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <mutex>

namespace sheaf::builder {
namespace {

class FakeRuntime final : public sandbox::Runtime {
public:
  Result<sandbox::Outcome> run(const sandbox::SandboxSpec& spec, const sandbox::Streams&, std::stop_token,
                               const sandbox::OnStart&) override {
    const std::scoped_lock lock(mutex);
    ++runs;
    lowers.push_back(spec.lowers.size());
    if (const auto* commands = std::get_if<std::vector<sandbox::RunCommand>>(&spec.action)) {
      const auto& argv = commands->front().argv;
      if (argv[0] == "fail") {
        return sandbox::Outcome{{7, 0}, 1};
      }
      if (argv[0] != "true") {
        SHEAF_TRY(os::write_file(spec.upper + "/" + argv[0], argv.size() > 1 ? argv[1] : text));
      }
    } else if (const auto* copy = std::get_if<sandbox::CopyFiles>(&spec.action)) {
      SHEAF_TRY_ASSIGN(const auto content, os::read_file(copy->tree.back() + "/" + copy->sources.front()));
      SHEAF_TRY(os::write_file(spec.upper + "/copied", content));
    }
    return sandbox::Outcome{{}, 1};
  }
  std::mutex mutex;
  int runs = 0;
  std::vector<std::size_t> lowers;
  std::string text = "text";
};

class Events final : public EventSink {
public:
  void emit(const Event& event) noexcept override {
    const std::scoped_lock lock(mutex);
    events.push_back(event);
  }
  std::mutex mutex;
  std::vector<Event> events;
};

class ImageBuilder : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(os::make_directories(context()));
    ASSERT_TRUE(os::write_file(context() + "/file", "one"));
  }
  std::string context() const { return m_directory.path() + "/context"; }

  static plan::Step run(std::vector<std::string> argv) {
    plan::RunStep step;
    step.argv = std::move(argv);
    return {"RUN " + step.argv[0], 1, std::move(step)};
  }
  static plan::Step copy(plan::Source from, const std::string& path, bool link = false) {
    plan::CopyStep step;
    step.from = std::move(from);
    step.sources = {plan::PathSource{path}};
    step.destination = "/copied";
    step.link = link;
    return {"COPY", 1, std::move(step)};
  }
  static plan::StagePlan stage(const std::string& name, std::vector<plan::Step> steps) {
    plan::StagePlan stage;
    stage.name = name;
    stage.base.kind = plan::Source::Kind::nothing;
    stage.steps = std::move(steps);
    return stage;
  }
  Result<BuiltImage> build(const plan::ImagePlan& plan) {
    auto store = store::Store::open(m_directory.path() + "/store").value();
    inputs.context = ContextFolder{context(), "ignored\n"};
    return build_image(plan, inputs, store, runtime, events, {});
  }
  Result<BuiltImage> build(std::vector<plan::Step> steps) {
    plan::ImagePlan plan;
    plan.stages = {stage("main", std::move(steps))};
    return build(plan);
  }

  os::TempDir m_directory = os::TempDir::create("/tmp", "image-builder-").value();
  ImageInputs inputs;
  FakeRuntime runtime;
  Events events;
};

TEST_F(ImageBuilder, RunsEachStepOnceAndStacksWhatTheyWrote) {
  const auto first = build({run({"a"}), run({"b"}), run({"c"})});
  ASSERT_TRUE(first) << first.error().render();
  EXPECT_EQ(first->steps_run, 3U);
  EXPECT_EQ(first->record.trees.size(), 3U);
  EXPECT_THAT(runtime.lowers, testing::ElementsAre(2, 2, 3)); // mount points, then: scratch is one empty directory
  const auto second = build({run({"a"}), run({"b"}), run({"c"})});
  EXPECT_EQ(second->steps_reused, 3U);
  EXPECT_EQ(second->steps_run, 0U);
  EXPECT_EQ(second->record.trees, first->record.trees);
  EXPECT_EQ(runtime.runs, 3);
}

TEST_F(ImageBuilder, AStepThatWritesNothingCostsNoTreeAndChangesNoKey) {
  const auto built = build({run({"true"}), run({"a"})});
  EXPECT_EQ(built->record.trees.size(), 1U);
  const auto without = build({run({"a"})});
  EXPECT_EQ(without->steps_reused, 1U);
  EXPECT_EQ(without->record.trees, built->record.trees);
}

TEST_F(ImageBuilder, ACopyDependsOnContentAndNotOnTimes) {
  const plan::Source from;
  const auto first = build({copy(from, "file"), run({"a"})});
  ASSERT_TRUE(first) << first.error().render();
  ASSERT_TRUE(os::write_file(context() + "/file", "one"));
  ASSERT_TRUE(os::write_file(context() + "/ignored", "new"));
  EXPECT_EQ(build({copy(from, "file"), run({"a"})})->steps_run, 0U);
  ASSERT_TRUE(os::write_file(context() + "/file", "two"));
  EXPECT_EQ(build({copy(from, "file"), run({"a"})})->steps_run, 2U);
}

TEST_F(ImageBuilder, EqualContentOfARebuiltStepLeavesTheStepsAboveValid) {
  ASSERT_TRUE(build({run({"a", "same"}), run({"b"})}));
  auto changed = run({"a", "same"});
  std::get<plan::RunStep>(changed.action).environment = {{"NEW", "1"}};
  const auto built = build({changed, run({"b"})});
  EXPECT_EQ(built->steps_run, 1U);
  EXPECT_EQ(built->steps_reused, 1U);
}

TEST_F(ImageBuilder, ALinkedCopyDoesNotDependOnWhatIsBelow) {
  const plan::Source from;
  ASSERT_TRUE(build({run({"a"}), copy(from, "file", true)}));
  const auto built = build({run({"b"}), copy(from, "file", true)});
  EXPECT_EQ(built->steps_run, 1U);
  EXPECT_EQ(built->steps_reused, 1U);
  EXPECT_EQ(built->record.trees.size(), 2U);
}

TEST_F(ImageBuilder, CopiesFromAStageByItsContent) {
  const plan::Source from{plan::Source::Kind::stage, {}, 0};
  plan::ImagePlan plan;
  plan.stages = {stage("one", {run({"a", "x"})}), stage("two", {copy(from, "a")})};
  plan.stages[1].needs = {0};
  plan.target = 1;
  const auto first = build(plan);
  ASSERT_TRUE(first) << first.error().render();
  EXPECT_EQ(first->steps_run, 2U);
  EXPECT_EQ(build(plan)->steps_run, 0U);
  plan.stages[1].steps[0] = copy(from, "missing");
  const auto failed = build(plan);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::not_found);
  EXPECT_THAT(failed.error().summary(), testing::HasSubstr("stage 'two': step 1 of 1 (COPY)"));
}

TEST_F(ImageBuilder, NoCacheRunsAgainAndWhatItGaveIsFoundLater) {
  plan::ImagePlan plan;
  plan.stages = {stage("main", {run({"a"})})};
  const auto first = build(plan);
  runtime.text = "other";
  plan.stages[0].no_cache = true;
  const auto second = build(plan);
  EXPECT_EQ(second->steps_run, 1U);
  EXPECT_NE(second->record.trees, first->record.trees);
  plan.stages[0].no_cache = false;
  EXPECT_EQ(build(plan)->record.trees, second->record.trees);
  EXPECT_TRUE(os::exists(m_directory.path() + "/store/" + first->record.trees[0].folder + "/tree/a"));
}

TEST_F(ImageBuilder, AFailureNamesStageStepAndCodeAndKeepsOtherStages) {
  plan::ImagePlan plan;
  plan.stages = {stage("bad", {run({"a"}), run({"fail"})}), stage("good", {run({"b"})}), stage("end", {})};
  plan.stages[2].needs = {0, 1};
  plan.target = 2;
  int told = 0;
  inputs.on_failure = [&](const sandbox::SandboxSpec& spec) { told += os::is_directory(spec.upper) ? 1 : 0; };
  const auto built = build(plan);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), ErrorCode::failed_step);
  EXPECT_EQ(built.error().summary(), "stage 'bad': step 2 of 2 (RUN fail): failed with exit code 7");
  EXPECT_THAT(built.error().details(), testing::HasSubstr("the whole log: "));
  EXPECT_EQ(told, 1);
  const auto runs = runtime.runs;
  ASSERT_FALSE(build(plan));
  EXPECT_EQ(runtime.runs, runs + 1); // only the failing step again
}

TEST_F(ImageBuilder, RefusesTheValueOfASecretAndWarnsOfTokens) {
  inputs.secrets["key"] = [] { return Result<std::string>("very-secret-value\n"); };
  auto step = run({"a", "has very-secret-value in it"});
  std::get<plan::RunStep>(step.action).mounts = {{"/run/secrets/key", plan::SecretMount{"key"}}};
  const auto built = build({step});
  ASSERT_FALSE(built);
  EXPECT_THAT(built.error().summary(), testing::HasSubstr("it left the value of secret 'key' in '/a'"));
  EXPECT_THAT(built.error().render(), testing::Not(testing::HasSubstr("very-secret-value")));
  const std::string token = "ghp_" + std::string(36, 'x');
  ASSERT_TRUE(build({run({"b", "token=" + token})}));
  const auto is_warning = [](const Event& event) { return event.kind == EventKind::warning; };
  const auto warning = std::ranges::find_if(events.events, is_warning);
  ASSERT_NE(warning, events.events.end());
  EXPECT_THAT(warning->text, testing::StartsWith("'/b' holds what looks like a GitHub token"));
  EXPECT_THAT(warning->text, testing::Not(testing::HasSubstr(token)));
}

} // namespace
} // namespace sheaf::builder
