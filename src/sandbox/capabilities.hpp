// SPDX-License-Identifier: Apache-2.0
#pragma once

// What root may do in a sandbox: what docker build gives to RUN, the default set of the OCI runtimes.

#include "base/result.hpp"

namespace sheaf::sandbox {

/// Nothing that is started from here on gets more than the container set. As real root that is without CAP_MKNOD: no
/// control group stands between a device node and the host's device.
Result<void> drop_capabilities();
/// After the change of user: root keeps the container set, others have nothing left.
Result<void> limit_to_container_set();

} // namespace sheaf::sandbox
