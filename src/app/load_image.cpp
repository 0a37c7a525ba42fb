// SPDX-License-Identifier: Apache-2.0
#include "app/load_image.hpp"

#include "os/child.hpp"
#include "os/fd.hpp"
#include "sandbox/contained.hpp"

#include <fmt/format.h>

#include <utility>

namespace sheaf::app {

Result<void> load_into(const std::string& program, const std::string& image, const std::string& store_root,
                       std::stop_token stop) {
  const auto doing = fmt::format("loading '{}' into {}", image, program);
  if (!os::find_program(program)) {
    return Error(ErrorCode::not_found, fmt::format("there is no {} on this machine", program))
        .with_context(std::string(doing));
  }
  SHEAF_TRY_ASSIGN(auto pipe, os::Pipe::create().context(doing));
  os::SpawnOptions writing;
  writing.argv = sandbox::tied(
      {os::own_program(), "export", "--quiet", "--root", store_root, "--format", "docker", "-o", "-", image});
  writing.descriptors = {{pipe.write.get(), 1}};
  SHEAF_TRY_ASSIGN(auto writer, os::Child::spawn(writing).context(doing));
  SHEAF_TRY(pipe.write.close());
  os::SpawnOptions reading;
  reading.argv = sandbox::tied({program, "load"});
  reading.descriptors = {{pipe.read.get(), 0}};
  SHEAF_TRY_ASSIGN(auto reader, os::Child::spawn(reading).context(doing));
  SHEAF_TRY(pipe.read.close());
  SHEAF_TRY_ASSIGN(const auto written, writer.wait(stop).context(doing));
  SHEAF_TRY_ASSIGN(const auto read, reader.wait(std::move(stop)).context(doing));
  if (!written.ok() && written.signal == 0) { // not if podman gave up first and the pipe broke
    return Error(ErrorCode::failed_step, fmt::format("writing the image: {}", written.to_string()))
        .with_context(std::string(doing));
  }
  if (!read.ok()) {
    return Error(ErrorCode::failed_step, fmt::format("{} load: {}", program, read.to_string()))
        .with_context(std::string(doing));
  }
  return {};
}

} // namespace sheaf::app
