"""Client: GlusterFS's text for who asks a brick, and what can be read in it."""

from __future__ import annotations

import json

import pytest

from glupy import Client

UID = "CTX_ID:2f0e4b4a-8d0e-4c3f-9a57-2f2b6f0f8a11-GRAPH_ID:0-PID:4711-HOST:web-1.example-PC_NAME:{}-RECON_NO:-0"


def test_parts():
    client = Client(UID.format("big-vol-client-12"))
    assert (client.host, client.pid, client.volume) == ("web-1.example", 4711, "big-vol")
    assert client.uuid == "2f0e4b4a-8d0e-4c3f-9a57-2f2b6f0f8a11"


def test_it_is_its_text():
    text = UID.format("client")
    client = Client(text)
    assert client == text and {text: 1}[client] == 1 and f"{client}" == text and json.loads(json.dumps(client)) == text
    assert type(str(client)) is str and client.volume is None and client.host == "web-1.example"


@pytest.mark.parametrize("text", ["", "some client", "CTX_ID:-PID:1", UID.format("v-client-0").replace("4711", "x"),
                                  UID.format("v-client-0") + "\n"])
def test_other_texts(text):
    client = Client(text)
    assert (client.host, client.pid, client.volume, client.uuid) == (None, None, None, None)


def test_a_host_that_looks_like_more():
    client = Client("CTX_ID:u-GRAPH_ID:1-PID:2-HOST:h-PC_NAME:x-PC_NAME:v-client-0-RECON_NO:-3")
    assert (client.host, client.volume) == ("h-PC_NAME:x", "v")
