# SPDX-License-Identifier: Apache-2.0
"""Real registries on this machine: Debian's docker-registry, with TLS, passwords, tokens or read-only.

    with Registry(folder) as registry:            # plain HTTP on 127.0.0.1
        sheaf("push", f"{registry.address}/team/app:1")

As a program it starts one of each kind and a proxy that breaks things (fault_proxy.py), prints where they are as one
line of JSON, and stops them when its standard input ends: for tests that are not written in Python.
"""
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# 127.0.0.1 by a name that no program takes for this machine: what counts as loopback may be reached without TLS.
ELSEWHERE = "[::ffff:7f00:1]"
USER = "alice"
PASSWORD = "open:sesame"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Authority:
    """An authority of our own and the certificates it signs; files in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = os.path.join(folder, "ca.crt")
        self._key = os.path.join(folder, "ca.key")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=sheaf tests",
                      "-addext", "basicConstraints=critical,CA:TRUE",
                      "-keyout", self._key, "-out", self.certificate)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def sign(self, name):
        """(certificate, key), good for this machine and for a client."""
        key, request, certificate, extensions = (os.path.join(self.folder, name + end)
                                                 for end in (".key", ".csr", ".crt", ".ext"))
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::ffff:7f00:1\n"
                       "extendedKeyUsage=serverAuth,clientAuth\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                      "-days", "30", "-extfile", extensions, "-out", certificate)
        return certificate, key


class TokenServer:
    """Gives out tokens for GET with name and password or without, and for POST with an identity token.

    Without a password there is `pull` for repositories below "public/" only. `questions` has what was asked.
    """
    IDENTITY_TOKEN = "refresh-me-please"

    def __init__(self, folder, service, lifetime=300, refuse_mounts=False):
        self.service, self.lifetime, self.refuse_mounts = service, lifetime, refuse_mounts
        self.questions = []
        self.certificate, self._key = Authority(folder).sign("tokens")
        der = subprocess.run(["openssl", "x509", "-in", self.certificate, "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE).stdout
        self._head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                owner.answer(self, urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                owner.answer(self, urllib.parse.parse_qs(body))

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.realm = f"http://127.0.0.1:{self._server.server_port}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()

    def _who(self, handler, fields):
        if handler.command == "POST":
            return USER if fields.get("refresh_token") == [self.IDENTITY_TOKEN] else None
        header = handler.headers.get("Authorization", "")
        if not header:
            return ""
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return USER if header == f"Basic {expected}" else None

    def answer(self, handler, fields):
        scopes = " ".join(fields.get("scope", [])).split()
        who = self._who(handler, fields)
        self.questions.append({"method": handler.command, "user": who, "scopes": scopes})
        if who is None:
            self._reply(handler, 401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
            return
        token = self._sign(self._claims(who, scopes))
        self._reply(handler, 200, {"token": token, "access_token": token, "expires_in": self.lifetime})

    def _claims(self, who, scopes):
        access = []
        for number, scope in enumerate(scopes):
            kind, name, actions = scope.split(":")
            allowed = actions.split(",") if who else [a for a in actions.split(",")
                                                      if a == "pull" and name.startswith("public/")]
            if self.refuse_mounts and number > 0:
                allowed = []
            access.append({"type": kind, "name": name, "actions": allowed})
        now = int(time.time())
        return {"iss": "sheaf tests", "sub": who, "aud": self.service, "exp": now + self.lifetime, "nbf": now - 10,
                "iat": now, "jti": str(time.time_ns()), "access": access}

    def _sign(self, claims):
        """A JWT, RFC 7519."""
        def encode(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        text = b".".join(encode(json.dumps(part).encode()) for part in (self._head, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key], input=text, check=True,
                                   stdout=subprocess.PIPE).stdout
        return (text + b"." + encode(signature)).decode()

    @staticmethod
    def _reply(handler, status, content):
        body = json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class Registry:
    """One docker-registry. `tls`: an Authority; `auth`: "basic" or a TokenServer. Data and log are in `folder`."""

    def __init__(self, folder, *, tls=None, client_authority=None, auth=None, read_only=False, relative_urls=False,
                 storage=None):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.port, self.tls = folder, free_port(), tls
        self.address = f"127.0.0.1:{self.port}"
        self.elsewhere = f"{ELSEWHERE}:{self.port}"
        self.log = os.path.join(folder, "log")
        self._config_file = os.path.join(folder, "config.json")
        http = {"addr": self.address, "secret": "tests", "relativeurls": relative_urls}
        if tls:
            certificate, key = tls.sign(f"server-{self.port}")
            http["tls"] = {"certificate": certificate, "key": key}
            if client_authority:
                http["tls"]["clientcas"] = [client_authority.certificate]
        self.config = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": storage or os.path.join(folder, "data")},
                        "delete": {"enabled": True},
                        "maintenance": {"uploadpurging": {"enabled": False}, "readonly": {"enabled": read_only}}},
            "http": http}
        self._add_auth(auth)
        self._process = None

    def _add_auth(self, auth):
        if auth == "basic":
            file = os.path.join(self.folder, "htpasswd")
            with open(file, "wb") as out:
                subprocess.run(["htpasswd", "-niB", USER], input=PASSWORD.encode(), stdout=out, check=True,
                               stderr=subprocess.DEVNULL)
            self.config["auth"] = {"htpasswd": {"realm": "tests", "path": file}}
        elif auth:
            self.config["auth"] = {"token": {"realm": auth.realm, "service": auth.service, "issuer": "sheaf tests",
                                             "rootcertbundle": auth.certificate}}

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.address}"

    def start(self):
        # JSON is YAML.
        with open(self._config_file, "w", encoding="utf-8") as file:
            json.dump(self.config, file)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(["docker-registry", "serve", self._config_file], stdout=log, stderr=log,
                                             stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    raise RuntimeError(f"docker-registry did not start:\n{log.read()}")
            time.sleep(0.05)
        return self

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def restart(self, *, read_only=False):
        self.stop()
        self.config["storage"]["maintenance"]["readonly"]["enabled"] = read_only
        self.start()

    def collect_garbage(self):
        """Removes blobs that no manifest names, while the registry runs, as careless people do."""
        subprocess.run(["docker-registry", "garbage-collect", self._config_file], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def serve(folder):
    """One of each kind, for the tests in C++ (tests/integration/registry)."""
    from fault_proxy import FaultProxy  # pylint: disable=import-outside-toplevel

    def sub(name):
        path = os.path.join(folder, name)
        os.makedirs(path)
        return path

    authority, stranger = Authority(sub("authority")), Authority(sub("stranger"))
    client_certificate, client_key = authority.sign("client")
    tokens = TokenServer(sub("tokens"), "tests")
    plain = Registry(sub("plain"))
    registries = {
        "plain": plain,
        "relative": Registry(sub("relative"), relative_urls=True),
        "tls": Registry(sub("tls"), tls=authority),
        "mutual": Registry(sub("mutual"), tls=authority, client_authority=authority),
        "basic": Registry(sub("basic"), auth="basic"),
        "token": Registry(sub("token"), auth=tokens),
        "tls_token": Registry(sub("tls_token"), tls=authority, auth=tokens),
        "read_only": Registry(sub("read_only"), read_only=True, storage=plain.config["storage"]["filesystem"]
                              ["rootdirectory"]),
    }
    for registry in registries.values():
        registry.start()
    proxies = {"proxy": FaultProxy(plain.address), "basic_proxy": FaultProxy(registries["basic"].address),
               "token_proxy": FaultProxy(registries["token"].address), "other": FaultProxy(registries["plain"].address)}
    places = {name: registry.address for name, registry in registries.items()}
    places.update({name: proxy.address for name, proxy in proxies.items()})
    places.update(elsewhere=ELSEWHERE, ca=authority.certificate, stranger_ca=stranger.certificate,
                  client_certificate=client_certificate, client_key=client_key, user=USER, password=PASSWORD,
                  identity_token=TokenServer.IDENTITY_TOKEN, realm=tokens.realm)
    print(json.dumps(places), flush=True)
    try:
        sys.stdin.read()
    finally:
        for started in [*registries.values(), *proxies.values(), tokens]:
            started.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sheaf-registries-") as place:
        serve(place)
