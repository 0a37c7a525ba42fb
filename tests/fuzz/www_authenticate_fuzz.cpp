// SPDX-License-Identifier: Apache-2.0
// Any bytes as a header WWW-Authenticate, and as the other texts that strange servers send before anybody knows them:
// no crash, no endless loop; what comes out is bounded by what went in.
#include "base/assert.hpp"
#include "net/url.hpp"
#include "registry/answer.hpp"
#include "registry/challenge.hpp"
#include "registry/token.hpp"
#include "registry/upload.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::size_t kept = 0;
  for (const auto& challenge : registry::parse_challenges(bytes)) {
    SHEAF_ASSERT(!challenge.scheme.empty());
    kept += challenge.scheme.size();
    for (const auto& [name, value] : challenge.parameters) {
      SHEAF_ASSERT(!name.empty());
      kept += name.size() + value.size();
    }
  }
  SHEAF_ASSERT(kept <= size);
  registry::messages_in(bytes);
  registry::next_page(bytes);
  registry::bytes_in_range(bytes);
  net::parse_retry_after(bytes, 0);
  ignore(registry::parse_token(bytes), "only that it does not crash");
  if (const auto url = net::Url::parse(bytes)) {
    SHEAF_ASSERT(net::Url::parse(url->to_string()).value() == *url);
  }
  const auto base = net::Url::parse("https://registry.example/v2/a/").value();
  if (const auto url = net::resolve(base, bytes)) {
    SHEAF_ASSERT(url->path.starts_with('/'));
    SHEAF_ASSERT(net::Url::parse(url->to_string()).has_value());
  }
  return 0;
}
