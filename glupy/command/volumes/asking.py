"""A question to all nodes of the cluster, by glusterd: `gluster system:: execute glupy` runs peer_glupy on each.

What comes back are the lines of all nodes, in any order, cut where they are long. So both question and answer are written
in base64, an answer in short lines with the node's uuid before each.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from glupy.command.problem import Problem
from glupy.command.volumes import gluster
from glupy.command.volumes.gluster import Peer

_SIGN = "glupy1"
_WIDTH = 900


def ask(question: dict[str, Any], peers: Iterable[Peer]) -> dict[str, Any]:
    """Have each node do what a question says, and gather the answers by the nodes' uuids. Raises Problem."""
    try:
        answers = gathered(gluster.execute("glupy", encoded(question)))
    except Problem as problem:
        raise Problem(_explained(problem.message)) from None
    silent = [peer.host for peer in peers if peer.uuid not in answers]
    if silent:
        raise Problem(f"no answer from {', '.join(silent)}; see `gluster pool list`, and /var/log/glusterfs/glusterd.log there")
    failed = [f"{answer['host']}: {answer['failed']}" for answer in answers.values() if "failed" in answer]
    if failed:
        raise Problem("; ".join(failed))
    return answers


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def decoded(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text))


def lines(uuid: str, answer: Any) -> list[str]:
    """An answer as a node prints it."""
    text = encoded(answer)
    parts = [text[start:start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return [f"{_SIGN} {uuid} {number} {len(parts)} {part}" for number, part in enumerate(parts)]


def gathered(text: str) -> dict[str, Any]:
    """The answers in the lines of all nodes, by uuid; of those that are complete."""
    parts: dict[str, dict[int, str]] = {}
    counts: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 5 and words[0] == _SIGN:
            parts.setdefault(words[1], {})[int(words[2])] = words[4]
            counts[words[1]] = int(words[3])
    return {uuid: decoded("".join(part for _, part in sorted(found.items())))
            for uuid, found in parts.items() if len(found) == counts[uuid]}


def _explained(said: str) -> str:
    if "command not found" in said:
        return (f"a node has no glupy whose `glupy attach` this is ({said.partition('; ')[0]}); install the package glupy "
                "there")
    return said
