# SPDX-License-Identifier: Apache-2.0
"""A server in front of a registry that breaks things, as told by rules; all else passes through.

A rule is a dictionary. It applies to requests whose `method` (default: any) and `path` (a regular expression, default:
any) fit, `times` times (default: once; -1: for ever), after having let `skip` of them pass. What it does:

    cut: N           the answer's content ends after N bytes, the connection with it
    cut_upload: N    the registry gets N bytes of the request's content, then both connections end
    keep_upload: N   as cut_upload, and the upload can go on after these N bytes (docker-registry itself cannot do this)
    lose_answer: 1   the registry gets all; the connection ends without an answer
    slow: N          N bytes of content per second
    status: N        answers so itself; `headers` are added
    flip: N          the byte N of the content is another
    length: N        Content-Length is changed by N
    no_range: 1      as a server that knows no ranges
    redirect: URL    answers 307 to URL + path
    add: {N: V}      headers added to the answer

Rules are set and requests seen by methods, or over HTTP: POST /__rules (a list), GET /__requests (and forget them).
"""
import http.client
import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 64 * 1024


class FaultProxy:
    def __init__(self, upstream):
        """`upstream`: HOST:PORT of a registry without TLS."""
        self.upstream = upstream
        self._lock = threading.Lock()
        self._rules = []
        self._requests = []
        # Uploads that can go on: path without query → (bytes, Location).
        self.kept_uploads = {}
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()

    def set_rules(self, *rules):
        with self._lock:
            self._rules = [dict(rule) for rule in rules]

    def requests(self):
        """Method, path and headers of all requests since the last call."""
        with self._lock:
            seen, self._requests = self._requests, []
            return seen

    def note(self, method, path, headers):
        """Remembers a request and gives the rule for it."""
        with self._lock:
            self._requests.append({"method": method, "path": path, "headers": headers})
            for rule in self._rules:
                fits = rule.get("method", method) == method and re.search(rule.get("path", ""), path)
                if not fits or rule.get("times", 1) == 0:
                    continue
                if rule.get("skip", 0) > 0:
                    rule["skip"] -= 1
                    continue
                rule["times"] = rule.get("times", 1) - 1
                return rule
            return {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # broken connections are what this is for


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/__requests":
            self._reply(200, json.dumps(self.owner.requests()).encode())
            return
        self._pass_on()

    def do_POST(self):
        if self.path == "/__rules":
            self.owner.set_rules(*json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._reply(200, b"{}")
            return
        self._pass_on()

    def _pass_on(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        rule = self.owner.note(self.command, self.path, headers)
        if "status" in rule:
            self._drain()
            self._reply(rule["status"], rule.get("body", "").encode(), rule.get("headers", {}))
        elif "redirect" in rule:
            self._drain()
            self._reply(307, b"", {"Location": rule["redirect"] + self.path})
        elif "keep_upload" in rule:
            self._keep_upload(headers, rule["keep_upload"])
        elif self.command == "GET" and self.path.split("?")[0] in self.owner.kept_uploads:
            size, location = self.owner.kept_uploads[self.path.split("?")[0]]
            self._reply(204, b"", {"Range": f"0-{size - 1}", "Location": location})
        else:
            self._forward(headers, rule)

    do_HEAD = do_PUT = do_PATCH = do_DELETE = _pass_on

    def _drain(self):
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            left -= len(self.rfile.read(min(left, PIECE)))

    def _reply(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _keep_upload(self, headers, size):
        """Makes a whole PATCH out of the first bytes of a PATCH or a PUT, and breaks the connection."""
        path = re.sub("&digest=[^&]*", "", self.path)
        before = int(headers.get("content-range", "0-").split("-", maxsplit=1)[0])
        upstream = http.client.HTTPConnection(self.owner.upstream, timeout=60)
        upstream.request("PATCH", path, self.rfile.read(size),
                         {"Host": headers["host"], "Content-Type": "application/octet-stream"})
        answer = upstream.getresponse()
        answer.read()
        self.owner.kept_uploads[path.split("?")[0]] = (before + size, answer.getheader("Location"))
        upstream.close()
        self._hang_up()

    def _forward(self, headers, rule):
        if rule.get("no_range"):
            headers.pop("range", None)
        upstream = http.client.HTTPConnection(self.owner.upstream, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                upstream.putheader(name, value)
            upstream.endheaders()
            if self._send_content(upstream, rule) and not rule.get("lose_answer"):
                self._give_answer(upstream.getresponse(), rule)
            else:
                if rule.get("lose_answer"):
                    upstream.getresponse().read()
                self._hang_up()
        except OSError:
            self._hang_up()
        finally:
            upstream.close()

    def _send_content(self, upstream, rule):
        """False if the rule broke it off."""
        left = int(self.headers.get("Content-Length", 0))
        allowed = rule.get("cut_upload", left)
        while left > 0:
            piece = self.rfile.read(min(left, PIECE, max(allowed, 1)))
            if not piece:
                return False
            if allowed <= 0:
                # What was sent has to be read before the connection ends, or the kernel may throw it away.
                upstream.sock.shutdown(socket.SHUT_WR)
                time.sleep(0.2)
                return False
            upstream.send(piece)
            left -= len(piece)
            allowed -= len(piece)
        return True

    def _give_answer(self, answer, rule):
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() == "content-length" and "length" in rule:
                value = str(int(value) + rule["length"])
            if name.lower() not in ("date", "server", "connection"):
                self.send_header(name, value)
        for name, value in rule.get("add", {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        done = 0
        while piece := answer.read(PIECE if "slow" not in rule else max(1, rule["slow"] // 10)):
            if "flip" in rule and done <= rule["flip"] < done + len(piece):
                at = rule["flip"] - done
                piece = piece[:at] + bytes([piece[at] ^ 0xff]) + piece[at + 1:]
            if "cut" in rule and done + len(piece) > rule["cut"]:
                self.wfile.write(piece[:rule["cut"] - done])
                self.wfile.flush()
                self._hang_up()
                return
            self.wfile.write(piece)
            done += len(piece)
            if "slow" in rule:
                time.sleep(0.1)
        if "length" in rule:
            self._hang_up()
