// SPDX-License-Identifier: Apache-2.0
#include "sbom/tree_stack.hpp"
