// SPDX-License-Identifier: Apache-2.0
#pragma once

// libcurl, loaded by dlopen(3) when something is first downloaded: linked, it would bring two dozen shared libraries
// into every start of the program, and the program is started for every build step (docs/decisions/0014).

#include "base/result.hpp"

#include <curl/curl.h>

namespace sheaf::net {

/// The functions of libcurl that we call.
struct CurlLibrary {
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_easy_reset) easy_reset = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
};

/// Loads it once; `unsupported` with advice if it is not installed. Safe from several threads.
Result<const CurlLibrary*> curl_library();

} // namespace sheaf::net
