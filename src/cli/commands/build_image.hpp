// SPDX-License-Identifier: Apache-2.0
#pragma once

// `sheaf build CONTEXT`: the options of `docker build`, turned into the use case's values.

#include "cli/command.hpp"

#include <array>

namespace sheaf::cli {

inline constexpr std::array k_image_options = {
    Option{"file", 'f', "FILE", "the Dockerfile ('-': standard input)"},
    Option{"tag", 't', "NAME", "name the image NAME[:TAG]", true},
    Option{"target", 0, "STAGE", "build this stage instead of the last one"},
    Option{"build-arg", 0, "NAME=VALUE", "value of an ARG; NAME alone takes it from the environment", true},
    Option{"build-context", 0, "NAME=FROM", "a directory, docker-image://… or oci-layout://… under a name", true},
    Option{"secret", 0, "id=ID,…", "a secret for RUN --mount=type=secret: src=FILE or env=VARIABLE", true},
    Option{"ssh", 0, "ID[=SOCKET]", "an ssh agent for RUN --mount=type=ssh ('default')", true},
    Option{"label", 0, "NAME=VALUE", "a label of the image", true},
    Option{"annotation", 0, "NAME=VALUE", "an annotation of the image", true},
    Option{"platform", 0, "OS/ARCH",
           "what to build for; several make an image for each, under one name where it is pushed", true},
    Option{"no-cache", 0, "", "carry out every step"},
    Option{"no-cache-filter", 0, "STAGE", "carry out every step of this stage", true},
    Option{"pull", 0, "", "look for newer versions of the images that stages start from"},
    Option{"network", 0, "MODE", "of RUN: default, none or host"},
    Option{"add-host", 0, "HOST:IP", "a line for /etc/hosts of RUN", true},
    Option{"ulimit", 0, "NAME=N[:N]", "a resource limit of RUN", true},
    Option{"shm-size", 0, "BYTES", "size of /dev/shm of RUN: '64m'"},
    Option{"allow", 0, "WHAT", "security.insecure or network.host", true},
    Option{"output", 'o', "SPEC", "write it: DIRECTORY, '-' or type=local|tar|oci|docker|registry,dest=PATH", true},
    Option{"cache-from", 0, "SPEC", "steps that others built: type=registry,ref=NAME, type=local,src=DIR or a name",
           true},
    Option{"cache-to", 0, "SPEC", "put the steps there: type=registry,ref=NAME, type=local,dest=DIR or type=inline",
           true},
    Option{"push", 0, "", "send it to the registries that -t names"},
    Option{"iidfile", 0, "FILE", "write the image's id to FILE"},
    Option{"metadata-file", 0, "FILE", "write what was built to FILE, as JSON"},
    Option{"squash", 0, "", "make one tree of the image's trees"},
    Option{"shell-on-error", 0, "", "open a shell where a RUN failed"},
    Option{"check", 0, "", "only check the Dockerfile"},
    Option{"print", 0, "", "only print the plan, as JSON"},
    Option{"sbom", 0, "YES", "true: put bills of materials and provenance beside what is pushed"},
    Option{"provenance", 0, "YES", "true or mode=min|max: the same"},
    Option{"attest", 0, "SPEC", "type=sbom or type=provenance: the same", true},
    Option{"load", 0, "", "does nothing: the image is in the store anyway"},
};

/// Of docker's old builder, or about its daemon: taken and said to have no effect.
inline constexpr std::array k_options_without_effect = {
    Option{"rm", 0, "", "no effect: nothing is left behind anyway"},
    Option{"force-rm", 0, "", "no effect, as --rm"},
    Option{"compress", 0, "", "no effect: the context is read where it is"},
    Option{"builder", 0, "NAME", "no effect: there is no daemon"},
    Option{"isolation", 0, "HOW", "no effect: for Windows"},
    Option{"disable-content-trust", 0, "", "no effect"},
    Option{"security-opt", 0, "OPT", "no effect", true},
    Option{"cgroup-parent", 0, "CGROUP", "no effect: no limits are set"},
    Option{"memory", 'm', "BYTES", "no effect: no limits are set"},
    Option{"memory-swap", 0, "BYTES", "no effect, as --memory"},
    Option{"cpu-shares", 'c', "N", "no effect, as --memory"},
    Option{"cpu-period", 0, "N", "no effect, as --memory"},
    Option{"cpu-quota", 0, "N", "no effect, as --memory"},
    Option{"cpuset-cpus", 0, "LIST", "no effect, as --memory"},
    Option{"cpuset-mems", 0, "LIST", "no effect, as --memory"},
};

/// Was an image asked for, and not the project's layers?
bool is_image_build(const Invocation& invocation);

Result<int> build_image(Invocation& invocation);

} // namespace sheaf::cli
