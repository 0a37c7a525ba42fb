// SPDX-License-Identifier: Apache-2.0
// Broken connections, wrong answers, busy servers, redirects: through the proxy of fault_proxy.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "integration/registry/servers.hpp"

namespace sheaf::registry {
namespace {

using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

class Trouble : public testing::Test {
protected:
  void SetUp() override {
    set_rules("proxy", nlohmann::json::array());
    m_blob = push_image(m_client, m_image, m_layer);
  }

  Result<std::string> fetch_with(const nlohmann::json& rules) {
    set_rules("proxy", rules);
    return fetch(m_client, m_image, m_blob);
  }

  Client m_client{test_hosts()};
  std::string m_layer = content(2'000'000, 2);
  oci::Reference m_image = image(server("proxy") + "/trouble/app:1");
  oci::Descriptor m_blob;
};

TEST_F(Trouble, ABrokenTransferGoesOnWhereItBroke) {
  const auto fetched = fetch_with({{{"path", "/blobs/"}, {"method", "GET"}, {"cut", 300'000}, {"times", 6}}});
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_TRUE(*fetched == m_layer);
  const auto asked = requests("proxy", "GET");
  ASSERT_EQ(asked.size(), 7U);
  EXPECT_FALSE(asked[0].at("headers").contains("range"));
  EXPECT_EQ(asked[1].at("headers").at("range"), "bytes=300000-");
  EXPECT_EQ(asked[6].at("headers").at("range"), "bytes=1800000-");
}

TEST_F(Trouble, AServerThatKnowsNoRangesBeginsAnew) {
  const auto fetched = fetch_with({{{"path", "/blobs/"}, {"method", "GET"}, {"cut", 300'000}},
                                   {{"path", "/blobs/"}, {"method", "GET"}, {"no_range", 1}}});
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_TRUE(*fetched == m_layer);
}

TEST_F(Trouble, AServerThatNeverGivesMoreIsGivenUp) {
  const auto fetched = fetch_with({{{"path", "/blobs/"}, {"method", "GET"}, {"cut", 0}, {"times", -1}}});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code(), ErrorCode::network);
  EXPECT_THAT(fetched.error().render(), HasSubstr("fetching " + m_blob.digest.to_string()));
  EXPECT_EQ(requests("proxy", "GET").size(), 5U);
}

TEST_F(Trouble, AFlippedByteIsCorrupt) {
  const auto fetched = fetch_with({{{"path", "/blobs/"}, {"method", "GET"}, {"flip", 1'234'567}}});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code(), ErrorCode::corrupt);
}

TEST_F(Trouble, AnotherLengthIsRefusedBeforeTheFirstByte) {
  for (const int difference : {1000, -1000}) {
    const auto before = m_client.bytes_received();
    const auto fetched = fetch_with({{{"path", "/blobs/"}, {"method", "GET"}, {"length", difference}}});
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(fetched.error().render(), HasSubstr("not the 2000000 there should be"));
    EXPECT_EQ(m_client.bytes_received(), before);
  }
}

TEST_F(Trouble, ABlobThatIsShorterThanItsDescriptorIsRefused) {
  m_blob.size += 10;
  const auto fetched = fetch(m_client, m_image, m_blob);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code(), ErrorCode::corrupt);
}

TEST_F(Trouble, ServerErrorsPass) {
  const auto fetched = fetch_with({{{"path", "/blobs/"}, {"status", 500}}, {{"path", "/blobs/"}, {"status", 503}}});
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_EQ(requests("proxy", "GET").size(), 3U);
}

TEST_F(Trouble, ALimitOfRequestsIsWaitedFor) {
  const auto began = Clock::now();
  const auto fetched = fetch_with({{{"path", "/blobs/"}, {"status", 429}, {"headers", {{"Retry-After", "1"}}}}});
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_GE(Clock::now() - began, std::chrono::seconds(1));
}

TEST_F(Trouble, ALongWaitIsAnErrorAtOnce) {
  const auto fetched =
      fetch_with({{{"path", "/blobs/"}, {"status", 429}, {"headers", {{"Retry-After", "3600"}}}, {"times", -1}}});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code(), ErrorCode::network);
  EXPECT_THAT(fetched.error().hint(), HasSubstr("the registry limits requests"));
  EXPECT_EQ(requests("proxy", "GET").size(), 1U);
}

TEST_F(Trouble, AStopEndsASlowTransferAndALongWait) {
  for (const auto& rule :
       {nlohmann::json({{"path", "/blobs/"}, {"slow", 1000}}),
        nlohmann::json({{"path", "/blobs/"}, {"status", 429}, {"headers", {{"Retry-After", "30"}}}})}) {
    set_rules("proxy", nlohmann::json::array({rule}));
    std::stop_source stop;
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      stop.request_stop();
    });
    const auto began = Clock::now();
    const auto fetched = m_client.fetch_blob(
        m_image, m_blob, [](std::string_view) { return Result<void>(); }, stop.get_token());
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code(), ErrorCode::cancelled);
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(3));
  }
}

TEST_F(Trouble, WhatTheSinkRefusesEndsTheTransfer) {
  const auto fetched = m_client.fetch_blob(
      m_image, m_blob, [](std::string_view) -> Result<void> { return Error(ErrorCode::no_space, "the disk is full"); },
      {});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code(), ErrorCode::no_space);
}

TEST_F(Trouble, CredentialsDoNotFollowToAnotherHost) {
  Client client(known_hosts());
  set_rules("basic_proxy", nlohmann::json::array());
  const auto from = image(server("basic_proxy") + "/trouble/app:1");
  push_image(client, from, m_layer);
  set_rules("basic_proxy", {{{"path", "/blobs/"}, {"method", "GET"}, {"redirect", "http://" + server("other")}}});
  set_rules("other", nlohmann::json::array());
  const auto fetched = fetch(client, from, m_blob);
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_TRUE(*fetched == m_layer);
  EXPECT_TRUE(requests("basic_proxy", "GET").back().at("headers").contains("authorization"));
  const auto elsewhere_seen = requests("other", "GET");
  ASSERT_EQ(elsewhere_seen.size(), 1U);
  EXPECT_FALSE(elsewhere_seen.front().at("headers").contains("authorization"));
}

TEST_F(Trouble, AnotherHostThatAsksForCredentialsGetsNone) {
  Client client(known_hosts());
  set_rules("basic_proxy", nlohmann::json::array());
  const auto from = image(server("basic_proxy") + "/trouble/app:1");
  push_image(client, from, m_layer);
  set_rules("basic_proxy", {{{"path", "/blobs/"}, {"method", "GET"}, {"redirect", "http://" + server("other")}}});
  set_rules("other",
            {{{"status", 401}, {"headers", {{"WWW-Authenticate", R"(Basic realm="give me")"}}}, {"times", -1}}});
  const auto fetched = fetch(client, from, m_blob);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code(), ErrorCode::denied);
  for (const auto& seen : requests("other", "GET")) {
    EXPECT_FALSE(seen.at("headers").contains("authorization"));
  }
}

TEST_F(Trouble, SeveralThreadsShareAClient) {
  Client client(known_hosts());
  const auto from = image(server("token") + "/trouble/parallel:1");
  constexpr unsigned k_threads = 8;
  std::vector<std::string> layers;
  layers.reserve(k_threads);
  for (unsigned i = 0; i < k_threads; ++i) {
    layers.push_back(content(300'000 + i, 100 + i));
  }
  std::atomic<unsigned> good = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(k_threads);
    for (const auto& layer : layers) {
      threads.emplace_back([&client, &from, &good, &layer] {
        const auto pushed = push(client, from, layer);
        const auto fetched = fetch(client, from, descriptor_of(layer));
        good += pushed && fetched && *fetched == layer ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(good, k_threads);
}

/// Sets variables of the environment while it lives.
class Variables {
public:
  explicit Variables(std::vector<std::pair<std::string, std::string>> values) : m_values(std::move(values)) {
    for (const auto& [name, value] : m_values) {
      setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~Variables() {
    for (const auto& [name, value] : m_values) {
      unsetenv(name.c_str());
    }
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

private:
  std::vector<std::pair<std::string, std::string>> m_values;
};

TEST_F(Trouble, ProxiesOfTheEnvironmentAreUsed) {
  auto hosts = test_hosts();
  hosts.settings["registry.invalid"].insecure = true;
  set_rules("proxy", nlohmann::json::array());
  const auto proxy = "http://" + server("proxy");
  {
    const Variables variables({{"HTTP_PROXY", proxy}, {"HTTPS_PROXY", proxy}});
    Client client(hosts);
    const auto fetched = fetch(client, image("registry.invalid/trouble/app:1"), m_blob);
    ASSERT_TRUE(fetched) << fetched.error().render();
    EXPECT_TRUE(*fetched == m_layer);
    EXPECT_EQ(requests("proxy", "GET").back().at("path"),
              "http://registry.invalid/v2/trouble/app/blobs/" + m_blob.digest.to_string());
  }
  // Not for this machine, and not for hosts that are excepted.
  const Variables variables({{"HTTP_PROXY", "http://127.0.0.1:1"}, {"NO_PROXY", "[::ffff:7f00:1],::ffff:7f00:1"}});
  hosts.settings[elsewhere("proxy")].insecure = true;
  Client client(hosts);
  EXPECT_TRUE(fetch(client, m_image, m_blob));
  const auto excepted = fetch(client, image(elsewhere("proxy") + "/trouble/app:1"), m_blob);
  EXPECT_TRUE(excepted) << excepted.error().render();
}

TEST_F(Trouble, SecretsThatAServerRepeatsAreNotShown) {
  Client client(known_hosts());
  set_rules("basic_proxy", {{{"path", "/manifests/"},
                             {"status", 400},
                             {"body", R"({"errors":[{"code":"BAD","message":"you are alice with open:sesame"}]})"}}});
  const auto failed = client.manifest(image(server("basic_proxy") + "/trouble/app:1"), {});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().render(), HasSubstr("you are alice with ***"));
  EXPECT_THAT(failed.error().render(), Not(HasSubstr("sesame")));
}

} // namespace
} // namespace sheaf::registry
