// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of the join folder, for headers that only refer to them.

namespace sheaf::join {

struct RecordChange;
struct Facts;
struct Record;
struct Layer;
struct Link;
struct Sides;
struct Conflict;
struct FileMerge;
struct JoinResult;
class Driver;

} // namespace sheaf::join
