"""Tells where it stands, as the value of user.NAME.where, as JSON: on a mount and in a brick."""

from __future__ import annotations

import json
from typing import Any

from glupy import Client, GetxattrReply, Translator


def told(client: Any) -> Any:
    return client and [isinstance(client, Client), client, client.host, client.pid, client.volume, client.uuid, repr(client)]


class Located(Translator):
    def getxattr(self, frame: Any, loc: Any, name: Any, xdata: Any) -> Any:
        if name != f"user.{self.name}.where":
            return None
        below = [[child.name, child.type, child.options] for child in self.children]
        answer = [self.volume, str(self.brick_path), self.side, below, told(frame.client)]
        return GetxattrReply({name: json.dumps(answer).encode()})

    def client_destroy(self, client: Any) -> None:
        self.log.info("gone: %s", json.dumps(told(client)))
