// SPDX-License-Identifier: Apache-2.0
#include "generate/generator.hpp"

#include "base/path_pattern.hpp"

#include <algorithm>
#include <array>

#include "generate/java_keystore.hpp"

namespace sheaf::generate {
namespace {

using Pattern = std::string_view;

constexpr std::array k_certificates_out = {Pattern("etc/ssl/certs/ca-certificates.crt")};
constexpr std::array k_certificates_in = {Pattern("etc/ca-certificates.conf"), Pattern("usr/share/ca-certificates/**"),
                                          Pattern("usr/local/share/ca-certificates/**"),
                                          Pattern("usr/sbin/update-ca-certificates"), Pattern("etc/ssl/certs/*")};
constexpr std::array k_certificates_need = {Pattern("usr/sbin/update-ca-certificates"), Pattern("etc/ssl/certs")};

constexpr std::array k_keystore_out = {Pattern(k_keystore), Pattern("etc/ssl/certs/java/cacerts.dpkg-*"),
                                       Pattern("var/lib/ca-certificates-java/fresh"),
                                       Pattern("var/lib/ca-certificates-java/pending")};
constexpr std::array k_keystore_in = {Pattern("etc/ca-certificates.conf"), Pattern("usr/share/ca-certificates/**"),
                                      Pattern("usr/local/share/ca-certificates/**"),
                                      Pattern("etc/ca-certificates/update.d/jks-keystore"),
                                      Pattern("etc/default/cacerts")};
constexpr std::array k_keystore_need = {Pattern("etc/ca-certificates/update.d/jks-keystore")};

constexpr std::array k_locales_out = {Pattern("usr/lib/locale/locale-archive")};
constexpr std::array k_locales_in = {Pattern("etc/locale.gen"),          Pattern("usr/share/i18n/**"),
                                     Pattern("usr/local/share/i18n/**"), Pattern("usr/share/locale/locale.alias"),
                                     Pattern("usr/bin/localedef"),       Pattern("usr/sbin/locale-gen")};
constexpr std::array k_locales_need = {Pattern("usr/sbin/locale-gen"), Pattern("etc/locale.gen")};

constexpr std::array k_man_out = {Pattern("var/cache/man/**")};
constexpr std::array k_man_in = {Pattern("usr/share/man/**"), Pattern("usr/local/share/man/**"),
                                 Pattern("usr/local/man/**"), Pattern("opt/man/**"),
                                 Pattern("opt/*/man/**"),     Pattern("etc/manpath.config"),
                                 Pattern("usr/bin/mandb"),    Pattern("var/lib/man-db/auto-update"),
                                 Pattern("usr/lib/man-db/*")};
constexpr std::array k_man_need = {Pattern("usr/bin/mandb"), Pattern("var/lib/man-db/auto-update"),
                                   Pattern("var/cache/man")};

constexpr std::array k_info_out = {Pattern("usr/share/info/dir"), Pattern("usr/share/info/dir.old")};
constexpr std::array k_info_in = {Pattern("usr/share/info/**"), Pattern("usr/bin/install-info")};
constexpr std::array k_info_need = {Pattern("usr/bin/install-info"), Pattern("usr/share/info")};

constexpr std::array k_fonts_out = {Pattern("var/cache/fontconfig/**")};
constexpr std::array k_fonts_in = {Pattern("usr/share/fonts/**"),
                                   Pattern("usr/local/share/fonts/**"),
                                   Pattern("usr/share/texmf/fonts/**"),
                                   Pattern("usr/share/ghostscript/fonts/**"),
                                   Pattern("etc/fonts/**"),
                                   Pattern("usr/share/fontconfig/**"),
                                   Pattern("usr/bin/fc-cache")};
constexpr std::array k_fonts_need = {Pattern("usr/bin/fc-cache")};

constexpr std::array k_mime_out = {Pattern("usr/share/mime/**"), Pattern("!usr/share/mime/packages"),
                                   Pattern("!usr/share/mime/packages/**")};
constexpr std::array k_mime_in = {Pattern("usr/share/mime/packages/*"), Pattern("usr/bin/update-mime-database")};
constexpr std::array k_mime_need = {Pattern("usr/bin/update-mime-database"), Pattern("usr/share/mime/packages")};

constexpr std::array k_desktop_out = {Pattern("usr/share/applications/mimeinfo.cache")};
constexpr std::array k_desktop_in = {Pattern("usr/share/applications/**"), Pattern("usr/bin/update-desktop-database")};
constexpr std::array k_desktop_need = {Pattern("usr/bin/update-desktop-database"), Pattern("usr/share/applications")};

constexpr std::array k_icons_out = {Pattern("usr/share/icons/*/icon-theme.cache")};
constexpr std::array k_icons_in = {Pattern("usr/share/icons/**"), Pattern("usr/bin/gtk-update-icon-cache")};
constexpr std::array k_icons_need = {Pattern("usr/bin/gtk-update-icon-cache"),
                                     Pattern("usr/share/icons/*/index.theme")};

constexpr std::array k_schemas_out = {Pattern("usr/share/glib-2.0/schemas/gschemas.compiled")};
constexpr std::array k_schemas_in = {Pattern("usr/share/glib-2.0/schemas/*"),
                                     Pattern("usr/lib/*/glib-2.0/glib-compile-schemas")};
constexpr std::array k_schemas_need = {Pattern("usr/lib/*/glib-2.0/glib-compile-schemas"),
                                       Pattern("usr/share/glib-2.0/schemas")};

constexpr std::array k_gio_out = {Pattern("usr/lib/*/gio/modules/giomodule.cache")};
constexpr std::array k_gio_in = {Pattern("usr/lib/*/gio/modules/*"), Pattern("usr/lib/*/glib-2.0/gio-querymodules")};
constexpr std::array k_gio_need = {Pattern("usr/lib/*/glib-2.0/gio-querymodules"), Pattern("usr/lib/*/gio/modules")};

constexpr std::array k_pixbuf_out = {Pattern("usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders.cache")};
constexpr std::array k_pixbuf_in = {Pattern("usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders/*"),
                                    Pattern("usr/lib/*/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders")};
constexpr std::array k_pixbuf_need = {Pattern("usr/lib/*/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders"),
                                      Pattern("usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders")};

constexpr std::array k_journal_out = {Pattern("var/lib/systemd/catalog/database")};
constexpr std::array k_journal_in = {Pattern("usr/lib/systemd/catalog/*"), Pattern("etc/systemd/catalog/*"),
                                     Pattern("usr/bin/journalctl")};
constexpr std::array k_journal_need = {Pattern("usr/bin/journalctl"), Pattern("usr/lib/systemd/catalog")};

constexpr std::array k_hwdb_out = {Pattern("usr/lib/udev/hwdb.bin")};
constexpr std::array k_hwdb_in = {Pattern("usr/lib/udev/hwdb.d/*"), Pattern("etc/udev/hwdb.d/*"),
                                  Pattern("usr/bin/systemd-hwdb")};
constexpr std::array k_hwdb_need = {Pattern("usr/bin/systemd-hwdb"), Pattern("usr/lib/udev/hwdb.d")};

constexpr std::string_view k_info_script = R"(rm -f /usr/share/info/dir
find /usr/share/info -type f | LC_ALL=C sort | while read -r file; do
  case $file in
    */dir|*/dir.gz|*/dir.old|*/dir.old.gz|*.png|*.jpg) ;;
    *-[0-9]|*-[0-9].gz|*-[1-9][0-9]|*-[1-9][0-9].gz) ;;
    *) install-info "$file" /usr/share/info/dir || true ;;
  esac
done)";

constexpr std::string_view k_icons_script = R"(for theme in /usr/share/icons/*; do
  if [ -f "$theme/index.theme" ]; then gtk-update-icon-cache --force --quiet "$theme"; fi
done)";

constexpr std::string_view k_pixbuf_script = R"(for folder in /usr/lib/*/gdk-pixbuf-2.0; do
  if [ -x "$folder/gdk-pixbuf-query-loaders" ]; then
    "$folder/gdk-pixbuf-query-loaders" $(find "$folder/2.10.0/loaders" -name '*.so' | LC_ALL=C sort) \
      >"$folder/2.10.0/loaders.cache"
  fi
done)";

constexpr std::string_view k_schemas_script =
    R"(for tool in /usr/lib/*/glib-2.0/glib-compile-schemas; do "$tool" /usr/share/glib-2.0/schemas; done)";
constexpr std::string_view k_gio_script =
    R"(for modules in /usr/lib/*/gio/modules; do
  tool=${modules%/gio/modules}/glib-2.0/gio-querymodules
  if [ -x "$tool" ]; then "$tool" "$modules"; fi
done)";

Generator tool(std::string_view name, std::span<const std::string_view> outputs,
               std::span<const std::string_view> sources, std::span<const std::string_view> needed,
               std::string_view script, std::string_view reason) {
  Generator made;
  made.name = name;
  made.outputs = outputs;
  made.sources = sources;
  made.requires_paths = needed;
  made.script = script;
  made.reason = reason;
  return made;
}

Generator native(Method method, Generator made) {
  made.method = method;
  return made;
}

Generator as_user(std::string_view user, Generator made) {
  made.user = user;
  return made;
}

Generator with_version(int version, Generator made) {
  made.version = version;
  return made;
}

Generator with_times(Generator made) {
  made.records_times = true;
  return made;
}

Generator with_certificate_links(Generator made) {
  made.makes_certificate_links = true;
  return made;
}

const std::array k_generators = {
    with_certificate_links(native(Method::certificates, tool("certificates", k_certificates_out, k_certificates_in,
                                                             k_certificates_need, "", "all trusted certificates"))),
    native(Method::java_keystore, tool("java-keystore", k_keystore_out, k_keystore_in, k_keystore_need, "",
                                       "all trusted certificates, for Java")),
    tool("locales", k_locales_out, k_locales_in, k_locales_need, "locale-gen", "all compiled locales"),
    // The program trusts the index where a directory's time is unchanged, so only -c sees pages of every layer. The
    // second call, which the package's own script makes as well, adds the tags of the folders for other languages.
    as_user("man", with_version(2, tool("man-db", k_man_out, k_man_in, k_man_need, "mandb -c -q\nmandb -p -q",
                                        "index of all manual pages"))),
    tool("info", k_info_out, k_info_in, k_info_need, k_info_script, "table of all info documents"),
    with_times(tool("fontconfig", k_fonts_out, k_fonts_in, k_fonts_need,
                    "mkdir -p /var/cache/fontconfig\nrm -rf /var/cache/fontconfig/*\nfc-cache -s -f",
                    "index of all fonts, valid for the times of their folders")),
    tool("mime", k_mime_out, k_mime_in, k_mime_need, "update-mime-database /usr/share/mime", "all MIME types"),
    tool("desktop", k_desktop_out, k_desktop_in, k_desktop_need, "update-desktop-database -q",
         "all applications by MIME type"),
    tool("icons", k_icons_out, k_icons_in, k_icons_need, k_icons_script, "all icons of a theme"),
    tool("glib-schemas", k_schemas_out, k_schemas_in, k_schemas_need, k_schemas_script, "all settings schemas"),
    tool("gio-modules", k_gio_out, k_gio_in, k_gio_need, k_gio_script, "all GIO modules"),
    tool("pixbuf-loaders", k_pixbuf_out, k_pixbuf_in, k_pixbuf_need, k_pixbuf_script, "all image loaders"),
    tool("journal-catalog", k_journal_out, k_journal_in, k_journal_need, "journalctl --update-catalog",
         "all message catalogues"),
    tool("hwdb", k_hwdb_out, k_hwdb_in, k_hwdb_need, "systemd-hwdb --usr update", "all hardware descriptions"),
};

bool is_certificate_store(std::string_view target) {
  return target.starts_with("/usr/share/ca-certificates/") || target.starts_with("/usr/local/share/ca-certificates/");
}

/// "0123abcd.0", "0123abcd.r0": what `openssl rehash` makes.
bool is_hash_name(std::string_view name) {
  constexpr std::size_t k_digits = 8;
  if (name.size() < k_digits + 2 || name[k_digits] != '.' ||
      name.substr(0, k_digits).find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return false;
  }
  const auto number = name.substr(k_digits + (name[k_digits + 1] == 'r' ? 2 : 1));
  return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_certificate_link(const std::string& path, const std::string& target) {
  constexpr std::string_view k_folder = "etc/ssl/certs/";
  if (!path.starts_with(k_folder) || path.find('/', k_folder.size()) != std::string::npos) {
    return false;
  }
  return (path.ends_with(".pem") && is_certificate_store(target)) ||
         (is_hash_name(std::string_view(path).substr(k_folder.size())) && target.find('/') == std::string::npos);
}

} // namespace

std::span<const Generator> generators() { return k_generators; }

bool is_output(const Generator& generator, const std::string& path, const std::optional<std::string>& link_target) {
  if (generator.makes_certificate_links && link_target && is_certificate_link(path, *link_target)) {
    return true;
  }
  bool found = false;
  for (const auto pattern : generator.outputs) {
    if (pattern.starts_with('!')) {
      found = found && !matches_path(pattern.substr(1), path);
    } else {
      found = found || (path.starts_with(literal_prefix(pattern)) && matches_path(pattern, path));
    }
  }
  return found;
}

const Generator* output_of(const std::string& path, const std::optional<std::string>& link_target) {
  const auto* found =
      std::ranges::find_if(k_generators, [&](const Generator& one) { return is_output(one, path, link_target); });
  return found == k_generators.end() ? nullptr : &*found;
}

bool is_source(const Generator& generator, const std::string& path, Change change) {
  if (is_output(generator, path, std::nullopt)) {
    return false;
  }
  return std::ranges::any_of(generator.sources, [&](std::string_view pattern) {
    const auto prefix = literal_prefix(pattern);
    if (change == Change::removed && prefix.size() > path.size() && prefix[path.size()] == '/' &&
        prefix.starts_with(path)) {
      return true; // a folder above the sources went, and they with it
    }
    return path.starts_with(prefix) && matches_path(pattern, path);
  });
}

} // namespace sheaf::generate
