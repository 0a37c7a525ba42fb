// SPDX-License-Identifier: Apache-2.0
// Any bytes as a record of the store: a layer's, a step's, an image's, a blob's, a list of devices, an inventory. What
// is accepted is written, and read again as the same. The first byte chooses the kind.
#include "base/assert.hpp"
#include "image/device_list.hpp"
#include "layer/inventory.hpp"
#include "store/blobs.hpp"
#include "store/image_record.hpp"
#include "store/layer_record.hpp"
#include "store/step_record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): this file is a program

/// What a reader accepts has one text: writing what was read of it gives the text again.
template <class Parse, class Print>
void check(std::string_view text, Parse parse, Print print) {
  const auto value = parse(text);
  if (!value) {
    SHEAF_ASSERT(value.error().code() == ErrorCode::corrupt || value.error().code() == ErrorCode::invalid);
    return;
  }
  const auto printed = print(*value);
  const auto again = parse(std::string_view(printed));
  SHEAF_ASSERT(again.has_value());
  SHEAF_ASSERT(print(*again) == printed);
}

void check_image(std::string_view text) {
  check(text, store::parse_image_record, [](const store::ImageRecord& record) {
    SHEAF_ASSERT(store::image_id(record) == store::image_id(record));
    return store::serialise(record);
  });
}

void check_inventory(std::string_view text) {
  check(text, layer::parse_inventory, [](const layer::Inventory& read) { return layer::serialise(read); });
  if (const auto lines = layer::split_inventory(text)) {
    for (const auto& line : *lines) {
      if (const auto entry = layer::decode(line)) {
        SHEAF_ASSERT(layer::escape_path(entry->path) == line.path);
      }
    }
  }
  (void)layer::line_of(text, "etc/passwd");
  (void)layer::lines_with_prefix(text, "etc");
}

void check_layer(std::string_view text) {
  check(text, store::parse_layer_record, [](const store::LayerRecord& record) { return store::serialise(record); });
}
void check_step(std::string_view text) {
  check(text, store::parse_step_record, [](const store::StepRecord& record) { return store::serialise(record); });
}
void check_blob(std::string_view text) {
  check(text, store::parse_blob_record, [](const store::BlobRecord& record) { return store::serialise(record); });
}
void check_devices(std::string_view text) {
  check(text, image::parse_devices, [](const auto& devices) { return image::serialise(devices); });
}

constexpr std::array k_kinds = {check_layer, check_step, check_image, check_blob, check_devices, check_inventory};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) {
    k_kinds[data[0] % k_kinds.size()](std::string_view(reinterpret_cast<const char*>(data), size).substr(1));
  }
  return 0;
}
