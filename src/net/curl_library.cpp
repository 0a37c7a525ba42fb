// SPDX-License-Identifier: Apache-2.0
#include "net/curl_library.hpp"

#include <fmt/format.h>

#include <dlfcn.h>

#include <array>
#include <string>

namespace sheaf::net {
namespace {

void* open_library() {
  // Debian's two builds differ only in the TLS library behind them.
  for (const auto* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    if (auto* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
      return handle;
    }
  }
  return nullptr;
}

template <class Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

Result<CurlLibrary> load() {
  auto* handle = open_library(); // stays open: threads of its resolver may outlive any user of it
  if (handle == nullptr) {
    return Error(ErrorCode::unsupported, "loading libcurl failed: it is needed for downloads")
        .with_hint("install it, on Debian: apt-get install libcurl4");
  }
  CurlLibrary library;
  const bool complete =
      find(handle, "curl_easy_init", library.easy_init) && find(handle, "curl_easy_cleanup", library.easy_cleanup) &&
      find(handle, "curl_easy_setopt", library.easy_setopt) &&
      find(handle, "curl_easy_perform", library.easy_perform) &&
      find(handle, "curl_easy_strerror", library.easy_strerror) &&
      find(handle, "curl_easy_reset", library.easy_reset) && find(handle, "curl_slist_append", library.slist_append) &&
      find(handle, "curl_slist_free_all", library.slist_free_all);
  decltype(&curl_global_init) global_init = nullptr;
  if (!complete || !find(handle, "curl_global_init", global_init) || global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Error(ErrorCode::unsupported, "the libcurl of this machine cannot be used")
        .with_hint("version 7.85 or newer is needed");
  }
  return library;
}

} // namespace

Result<const CurlLibrary*> curl_library() {
  static const Result<CurlLibrary> library = load();
  if (!library) {
    return Error(library.error());
  }
  return &*library;
}

} // namespace sheaf::net
