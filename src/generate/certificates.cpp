// SPDX-License-Identifier: Apache-2.0
#include "generate/certificates.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "generate/generator.hpp"

namespace sheaf::generate {
namespace {

using os::Fd;

constexpr const char* k_configuration = "etc/ca-certificates.conf";
constexpr std::string_view k_packaged = "usr/share/ca-certificates";
constexpr std::string_view k_local = "usr/local/share/ca-certificates";
constexpr const char* k_folder = "etc/ssl/certs";
constexpr std::string_view k_bundle = "ca-certificates.crt";

/// The content of the regular file that `path` leads to; nothing if there is none.
Result<std::optional<std::string>> read_regular(const Fd& root, const std::string& path) {
  // O_NONBLOCK: a fifo must not make us wait for a writer.
  auto file = os::open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  if (!file) {
    return file.error().code() == ErrorCode::not_found ? Result<std::optional<std::string>>(std::nullopt)
                                                       : Result<std::optional<std::string>>(Error(file.error()));
  }
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(*file));
  if (!S_ISREG(info.st_mode)) {
    return std::optional<std::string>();
  }
  SHEAF_TRY_ASSIGN(auto content, os::read_all(*file));
  return std::optional(std::move(content));
}

/// Root-relative paths of all *.crt files below `folder`, links followed.
Result<void> find_certificates(const Fd& root, const std::string& folder, int depth, std::vector<std::string>& found) {
  constexpr int k_deepest = 32; // links may make a circle
  auto directory = os::open_in_root(root, folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (!directory || depth > k_deepest) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(*directory));
  for (const auto& entry : entries) {
    const auto path = folder + "/" + entry.name;
    auto target = os::open_in_root(root, path, O_PATH);
    if (!target) {
      continue; // a link to nowhere
    }
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(*target));
    if (S_ISDIR(info.st_mode)) {
      SHEAF_TRY(find_certificates(root, path, depth + 1, found));
    } else if (S_ISREG(info.st_mode) && entry.name.ends_with(".crt")) {
      found.push_back(path);
    }
  }
  return {};
}

/// The names the configuration switches on. A last line without its newline does not count: the tool's `read` drops it.
std::vector<std::string> configured(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      break;
    }
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!line.empty() && line[0] != '#' && line[0] != '!') {
      names.emplace_back(trim(line));
    }
  }
  return names;
}

struct Object {
  enum class Kind { certificate, revocations } kind = Kind::certificate;
  std::string der;
};

/// All certificates and revocation lists of a PEM text, in order.
std::vector<Object> objects_of(std::string_view content) {
  std::vector<Object> objects;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())),
                                                      BIO_free);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;
  while (bio && PEM_read_bio(bio.get(), &name, &header, &data, &length) == 1) {
    const std::string_view kind = name;
    std::string der(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length));
    if (kind == PEM_STRING_X509 || kind == PEM_STRING_X509_OLD || kind == PEM_STRING_X509_TRUSTED) {
      objects.push_back({Object::Kind::certificate, std::move(der)});
    } else if (kind == PEM_STRING_X509_CRL) {
      objects.push_back({Object::Kind::revocations, std::move(der)});
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  ERR_clear_error(); // the end of the text counts as an error
  return objects;
}

/// One DER element: its content and where the next one begins.
struct Element {
  int tag = 0;
  int tag_class = 0;
  std::string_view whole;
  std::string_view content;
};

/// Takes the first element off `rest`; nothing if it is cut off or of indefinite length.
std::optional<Element> take_element(std::string_view& rest) {
  const auto* at = reinterpret_cast<const unsigned char*>(rest.data());
  const auto* const begin = at;
  long length = 0;
  Element element;
  const int result = ASN1_get_object(&at, &length, &element.tag, &element.tag_class, static_cast<long>(rest.size()));
  ERR_clear_error();
  if ((result & 0x81) != 0) { // 0x80: error; 1: indefinite length, which DER does not have
    return std::nullopt;
  }
  const auto head = static_cast<std::size_t>(at - begin);
  element.whole = rest.substr(0, head + static_cast<std::size_t>(length));
  element.content = element.whole.substr(head);
  rest.remove_prefix(element.whole.size());
  return element;
}

/// The DER of the name that the hash is of: the subject of a certificate, the issuer of a revocation list. Found by
/// hand because decoding a whole certificate decodes its key as well, which takes most of the time (RFC
/// 5280, 4.1, 5.1).
std::optional<std::string_view> name_of(const Object& object) {
  std::string_view rest = object.der;
  for (int depth = 0; depth < 2; ++depth) { // the whole, and in it the part that is signed
    const auto outer = rest.starts_with('\x30') ? take_element(rest) : std::nullopt;
    if (!outer) {
      return std::nullopt;
    }
    rest = outer->content;
  }
  int sequences = object.kind == Object::Kind::certificate ? 4 : 2;
  auto element = take_element(rest);
  while (element) {
    if (element->tag == V_ASN1_SEQUENCE && element->tag_class == V_ASN1_UNIVERSAL && --sequences == 0) {
      return element->whole;
    }
    element = take_element(rest);
  }
  return std::nullopt;
}

std::optional<unsigned long> hash_of(const Object& object) {
  const auto der = name_of(object);
  if (!der) {
    return std::nullopt;
  }
  const auto* at = reinterpret_cast<const unsigned char*>(der->data());
  const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> name(
      d2i_X509_NAME(nullptr, &at, static_cast<long>(der->size())), X509_NAME_free);
  int good = 0;
  const auto hash = name ? X509_NAME_hash_ex(name.get(), nullptr, nullptr, &good) : 0;
  ERR_clear_error();
  return good == 1 ? std::optional(hash) : std::nullopt;
}

bool may_be_hashed(std::string_view name) {
  constexpr std::array<std::string_view, 4> k_endings = {".pem", ".crt", ".cer", ".crl"};
  return std::ranges::any_of(k_endings, [&](std::string_view ending) { return name.ends_with(ending); });
}

/// What lies in /etc/ssl/certs.
struct Present {
  /// Everything that is not an output: name to content.
  std::map<std::string, std::string> foreign;
  std::map<std::string, std::string> links; ///< outputs, name to link text
};

Result<Present> look_at_folder(const Fd& root) {
  Present present;
  SHEAF_TRY_ASSIGN(const auto directory, os::open_in_root(root, k_folder, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(directory));
  for (const auto& entry : entries) {
    const auto path = fmt::format("{}/{}", k_folder, entry.name);
    std::optional<std::string> target;
    if (entry.type == DT_LNK) {
      SHEAF_TRY_ASSIGN(target, os::read_link_at(directory, entry.name));
    }
    if (const auto* made_by = output_of(path, target)) {
      if (made_by->makes_certificate_links && target) {
        present.links.emplace(entry.name, std::move(*target));
      }
    } else if (may_be_hashed(entry.name)) {
      SHEAF_TRY_ASSIGN(auto content, read_regular(root, path));
      if (content) {
        present.foreign.emplace(entry.name, std::move(*content));
      }
    }
  }
  return present;
}

} // namespace

std::string TrustedFile::link_name() const {
  auto name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".crt") && name.size() > 4) {
    name.resize(name.size() - 4);
  }
  for (char& c : name) {
    if (c == ' ' || c == ',') {
      c = '_';
    } else if (c == '(' || c == ')') {
      c = '=';
    }
  }
  return name + ".pem";
}

Result<std::vector<TrustedFile>> trusted_files(const Fd& root) {
  SHEAF_TRY_ASSIGN(const auto configuration, read_regular(root, k_configuration));
  std::vector<std::string> paths;
  for (const auto& name : configured(configuration.value_or(""))) {
    paths.push_back(fmt::format("{}/{}", k_packaged, name));
  }
  std::vector<std::string> local;
  SHEAF_TRY(find_certificates(root, std::string(k_local), 0, local));
  std::ranges::sort(local);
  paths.insert(paths.end(), local.begin(), local.end());
  std::vector<TrustedFile> files;
  for (const auto& path : paths) {
    SHEAF_TRY_ASSIGN(auto content, read_regular(root, path).context(fmt::format("reading certificate '/{}'", path)));
    if (content) {
      files.push_back({"/" + path, std::move(*content)});
    }
  }
  return files;
}

std::string make_bundle(const std::vector<TrustedFile>& files) {
  std::string bundle;
  for (const auto& file : files) {
    bundle += file.content;
    if (!file.content.empty() && file.content.back() != '\n') {
      bundle += '\n';
    }
  }
  return bundle;
}

std::map<std::string, TrustedFile> links_by_name(const std::vector<TrustedFile>& files) {
  std::map<std::string, TrustedFile> links;
  for (const auto& file : files) {
    links.insert_or_assign(file.link_name(), file);
  }
  return links;
}

std::map<std::string, std::string> links_by_hash(const std::map<std::string, std::string>& files) {
  std::map<std::string, std::string> links;
  std::map<std::string, int> used;              // hash with its dot, to the next number
  std::map<std::string, std::set<Digest>> seen; // of each hash: a certificate in two files is linked once
  for (const auto& [name, content] : files) {
    if (!may_be_hashed(name)) {
      continue;
    }
    const auto objects = objects_of(content);
    const auto hash = objects.size() == 1 ? hash_of(objects.front()) : std::nullopt;
    if (!hash) {
      continue;
    }
    const auto stem = fmt::format("{:08x}.{}", *hash, objects.front().kind == Object::Kind::certificate ? "" : "r");
    if (seen[stem].insert(Digest::of(objects.front().der)).second) {
      links.emplace(fmt::format("{}{}", stem, used[stem]++), name);
    }
  }
  return links;
}

std::optional<std::string> first_certificate(std::string_view content) {
  std::vector<Object> objects;
  if (content.starts_with('\x30')) {
    objects.push_back({Object::Kind::certificate, std::string(content)});
  } else {
    objects = objects_of(content);
  }
  const auto found = std::ranges::find(objects, Object::Kind::certificate, &Object::kind);
  if (found == objects.end() || !hash_of(*found)) {
    return std::nullopt;
  }
  std::string_view rest = found->der;
  const auto whole = take_element(rest); // what follows in a "trusted certificate" is OpenSSL's own
  return whole ? std::optional(std::string(whole->whole)) : std::nullopt;
}

Result<CertificateFolder> make_certificate_folder(const Fd& root) {
  SHEAF_TRY_ASSIGN(const auto files, trusted_files(root));
  SHEAF_TRY_ASSIGN(auto present, look_at_folder(root).context("reading '/etc/ssl/certs'"));
  CertificateFolder folder;
  folder.bundle = make_bundle(files);
  auto hashed = std::move(present.foreign);
  for (auto& [name, file] : links_by_name(files)) {
    folder.links.emplace(name, file.path);
    hashed.insert_or_assign(name, file.content);
  }
  hashed.erase(std::string(k_bundle));
  folder.links.merge(links_by_hash(hashed));
  folder.present = std::move(present.links);
  return folder;
}

} // namespace sheaf::generate
