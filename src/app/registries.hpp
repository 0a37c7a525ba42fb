// SPDX-License-Identifier: Apache-2.0
#pragma once

// How this user reaches registries: settings from config.yml, credentials from the files of docker and podman.

#include "registry/client.hpp"

#include <string>

namespace sheaf::app {

/// `invalid` if config.yml has mistakes.
Result<registry::Client> registry_client();

/// `text` is a host or, as docker writes it, a URL. Checks the credential with the registry, then keeps it; gives the
/// file or the helper program that has it now.
Result<std::string> log_in(const std::string& text, const registry::Credential& credential, std::stop_token stop);
/// Gives the files and helper programs that had a credential of the host.
Result<std::vector<std::string>> log_out(const std::string& host);

} // namespace sheaf::app
