// SPDX-License-Identifier: Apache-2.0
#include "builder/support_files.hpp"

#include "builder/account_commands.hpp"
#include "os/file.hpp"
#include "plan/layer_plan.hpp"

#include <fmt/format.h>

#include <array>

namespace sheaf::builder {
namespace {

constexpr const char* k_host_certificates = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* k_certificates = "/run/sheaf/ca-certificates.crt";

/// Read by OpenSSL, curl, git, Node, Python and others. A company's proxy certificate that the host trusts is then
/// trusted inside too, without being baked into a layer.
constexpr std::array k_certificate_variables = {"SSL_CERT_FILE",       "CURL_CA_BUNDLE",     "GIT_SSL_CAINFO",
                                                "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "PIP_CERT"};
constexpr std::array k_proxy_variables = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy",
                                          "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"};

void add_certificates(SupportFiles& support) {
  if (!os::exists(k_host_certificates)) {
    return;
  }
  support.binds.push_back({k_host_certificates, k_certificates, sandbox::Access::read_only, false});
  for (const auto* variable : k_certificate_variables) {
    support.environment[variable] = k_certificates;
  }
}

} // namespace

Result<SupportFiles> prepare_support(const std::string& folder, const std::string& hostname,
                                     const std::vector<std::pair<std::string, std::string>>& hosts) {
  SHEAF_TRY(os::make_directories(folder));
  SupportFiles support;
  support.folder = folder;
  SHEAF_TRY_ASSIGN(const auto known, os::read_file_if_exists("/etc/hosts"));
  SHEAF_TRY_ASSIGN(const auto resolver, os::read_file_if_exists("/etc/resolv.conf"));
  auto lines = fmt::format("{}127.0.1.1\t{}\n", known.value_or("127.0.0.1\tlocalhost\n"), hostname);
  for (const auto& [name, address] : hosts) {
    lines += fmt::format("{}\t{}\n", address, name);
  }
  SHEAF_TRY(os::write_file(folder + "/hosts", lines));
  SHEAF_TRY(os::write_file(folder + "/resolv.conf", resolver.value_or("")));
  SHEAF_TRY(os::write_file(folder + "/ca-certificates.crt", ""));
  support.binds.push_back({folder, k_support_path, sandbox::Access::read_only, false});
  support.binds.push_back({folder + "/hosts", "/etc/hosts", sandbox::Access::read_only, false});
  support.binds.push_back({folder + "/resolv.conf", "/etc/resolv.conf", sandbox::Access::read_only, false});
  add_certificates(support);
  for (const auto* variable : k_proxy_variables) {
    if (const auto value = os::environment(variable)) {
      support.environment[variable] = *value;
    }
  }
  return support;
}

Result<void> add_build_support(SupportFiles& support, const std::string& npm_cache) {
  SHEAF_TRY(os::make_directories(support.folder + "/bin"));
  for (const auto& [name, text] : account_commands()) {
    SHEAF_TRY(os::write_file(support.folder + "/bin/" + name, text, os::Durable::no, 0755));
  }
  // apt gives dpkg, and so the maintainer scripts, a PATH of its own: apt.conf(5), DPkg::Path.
  SHEAF_TRY(os::write_file(support.folder + "/apt.conf",
                           fmt::format("DPkg::Path \"{}/bin:{}\";\n", k_support_path, plan::k_default_path)));
  support.environment["APT_CONFIG"] = fmt::format("{}/apt.conf", k_support_path);
  SHEAF_TRY(os::make_directories(support.folder + "/npm"));
  support.binds.push_back({npm_cache, fmt::format("{}/npm", k_support_path), sandbox::Access::read_write, false});
  support.environment["npm_config_cache"] = fmt::format("{}/npm", k_support_path);
  support.environment["npm_config_update_notifier"] = "false";
  support.environment["DEBIAN_FRONTEND"] = "noninteractive";
  support.environment["PYTHONHASHSEED"] = "0";
  return {};
}

Result<void> add_clock_shift(SupportFiles& support, const std::string& library) {
  SHEAF_TRY_ASSIGN(const auto content, os::read_file(library));
  SHEAF_TRY(os::write_file(support.folder + "/clock.so", content, os::Durable::no, 0755));
  support.environment["LD_PRELOAD"] = fmt::format("{}/clock.so", k_support_path);
  support.environment["FAKETIME"] = k_clock_shift;
  support.environment["NO_FAKE_STAT"] = "1"; // make and others compare the times of files with each other
  return {};
}

} // namespace sheaf::builder
