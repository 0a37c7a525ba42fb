// SPDX-License-Identifier: Apache-2.0
#include "archive/layer_writer.hpp"

#include "archive/tree_writer.hpp"

namespace sheaf::archive {

Result<WrittenLayer> write_layer(const os::Fd& tree, const LayerOptions& options, const Output& to,
                                 const std::stop_token& stop) {
  WrittenLayer layer;
  Sha256 blob_hash;
  Sha256 tar_hash;
  SHEAF_TRY_ASSIGN(auto compressor,
                   Compressor::create(options.packing, options.threads, [&](std::string_view bytes) -> Result<void> {
                     blob_hash.update(bytes);
                     layer.blob_bytes += bytes.size();
                     return to(bytes);
                   }));
  TarWriter tar([&](std::string_view bytes) -> Result<void> {
    tar_hash.update(bytes);
    layer.tar_bytes += bytes.size();
    return compressor.write(bytes);
  });
  SHEAF_TRY_ASSIGN(layer.entries, write_tree(tree, tar, {Whiteouts::overlay, options.devices, stop}));
  SHEAF_TRY(tar.finish());
  SHEAF_TRY(compressor.finish());
  layer.diff_id = tar_hash.finish();
  layer.blob = blob_hash.finish();
  return layer;
}

} // namespace sheaf::archive
