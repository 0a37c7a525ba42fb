"""Keeps notes in memory."""

import importlib.metadata
import os
import sys

import flask

app = flask.Flask(__name__)
notes = []


@app.get("/")
def index():
    return flask.jsonify(notes=notes, uid=os.getuid())


@app.post("/")
def add():
    notes.append(flask.request.get_data(as_text=True))
    return "", 201


def main():
    if sys.argv[1:] != ["--self-check"]:
        app.run(port=int(os.environ.get("PORT", "8000")))
        return
    client = app.test_client()
    client.post("/", data="remember this")
    print("notes", importlib.metadata.version("notes"), client.get("/").json, sys.prefix)
