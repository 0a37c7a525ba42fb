// SPDX-License-Identifier: Apache-2.0
// WORKDIR, USER, VOLUME, EXPOSE, STOPSIGNAL and MAINTAINER: what only changes the image's config, or hardly more.
#include "containerfile/node_checker.hpp"
#include "containerfile/port.hpp"
#include "containerfile/signal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sheaf::containerfile {

void check_workdir(NodeChecker& checker) {
  if (!checker.missing_arguments("a directory", "write 'WORKDIR /path'")) {
    checker.check_expansion(checker.node().arguments);
    checker.add(Workdir{checker.origin(), checker.node().arguments});
  }
}

void check_user(NodeChecker& checker) {
  if (!checker.missing_arguments("a user", "write 'USER NAME' or 'USER UID:GID'")) {
    checker.check_expansion(checker.node().arguments);
    checker.add(User{checker.origin(), checker.node().arguments});
  }
}

void check_volume(NodeChecker& checker) {
  const auto& node = checker.node();
  if (checker.missing_arguments("a path", "write 'VOLUME /path'")) {
    return;
  }
  auto paths = checker.words_or_json();
  if (paths.empty() && node.json.form == ArrayForm::array) {
    checker.error(node.arguments.span, "missing-argument", "VOLUME needs a path, and this array is empty");
  }
  for (const auto& path : paths) {
    checker.check_expansion(path);
    if (std::all_of(path.text.begin(), path.text.end(), is_blank)) {
      checker.error(path.span, "empty-path", "a path of VOLUME is empty");
    }
  }
  checker.add(Volume{checker.origin(), std::move(paths)});
}

void check_expose(NodeChecker& checker) {
  if (checker.missing_arguments("a port", "write 'EXPOSE 80' or 'EXPOSE 53/udp'")) {
    return;
  }
  auto words = checker.words();
  for (const auto& word : words) {
    checker.check_expansion(word);
    // Quotes and variables are taken off later; the plan looks at those.
    if (word.text.find_first_of("$'\"\\`") != std::string::npos) {
      continue;
    }
    if (const auto ports = parse_ports(word.text); !ports) {
      checker.error(word.span, "bad-port", ports.error().message(), ports.error().hint());
    }
  }
  checker.add(Expose{checker.origin(), std::move(words)});
}

void check_stopsignal(NodeChecker& checker) {
  if (checker.missing_arguments("a signal", "write 'STOPSIGNAL SIGTERM'")) {
    return;
  }
  const auto& signal = checker.node().arguments;
  checker.check_expansion(signal);
  if (signal.text.find_first_of("$'\"\\`") == std::string::npos && !is_signal(signal.text)) {
    checker.error(signal.span, "bad-signal", fmt::format("'{}' is no signal", signal.text),
                  "write 'SIGINT' or '2', for example");
  }
  checker.add(StopSignal{checker.origin(), signal});
}

void check_maintainer(NodeChecker& checker) {
  if (!checker.missing_arguments("a name", "write 'LABEL org.opencontainers.image.authors=NAME'")) {
    checker.add(Maintainer{checker.origin(), checker.node().arguments});
  }
}

} // namespace sheaf::containerfile
