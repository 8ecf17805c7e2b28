"""Tells the bricks of a volume of one another's totals, so that the limits of quota hold for the whole volume.

It belongs into the graph of a client on a trusted machine, such as a mount on one of the servers; several do no harm. All have
the file `key`, the bricks as well: some random bytes that root alone can read.

    head -c 32 /dev/urandom | base64 > /etc/glusterfs/quota.key; chmod 600 /etc/glusterfs/quota.key

    volume exchange
        type user/quota_exchange
        option key /etc/glusterfs/quota.key
        option interval 5s
        subvolumes volume
    end-volume

Each `interval` it asks all bricks what is used there of what is limited, past distribution and replication, and tells each
what the other subvolumes have, signed with the key. Of replicas the one that says most counts. It takes part in nothing else.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import glupy
from glupy import Child, Loc, Option, Translator

REPORT, ELSEWHERE = "trusted.quota.report", "trusted.quota.elsewhere"

Used = dict[str, tuple[int, int]]


class QuotaExchange(Translator):
    key = Option(str, help="the file with the secret that the bricks have, too")
    interval = Option("time", default="5s", min=1, help="how often the bricks hear of one another; from the next start")

    def init(self) -> None:
        self.last: dict[str, Used] = {}  # by subvolume: what it said last
        self.silent: set[str] = set()  # bricks that did not answer
        self.keyless = False
        self.every(self.interval, self.exchange)

    async def exchange(self) -> None:
        """One round."""
        try:
            secret = (await glupy.to_thread(Path(self.key).read_bytes)).strip()
        except OSError as error:
            if not self.keyless:
                self.log.info("%s: %s; others have to do it", self.key, error.strerror)
            self.keyless = True
            return
        self.keyless = False
        root = Loc.from_inode((await self.itable_ready()).root)
        challenges: dict[str, list[tuple[Child, str]]] = {}
        for group in groups(self.child):
            said = [(brick, *found) for brick in lowest(group) if (found := await self.report(brick, root))]
            challenges[group.name] = [(brick, challenge) for brick, challenge, _ in said]
            if said:
                self.last[group.name] = most(used for _, _, used in said)
        if self.last.keys() != challenges.keys():
            return  # one has never answered: what it has is not known
        for name, bricks in challenges.items():
            elsewhere = added(used for group, used in self.last.items() if group != name)
            for brick, challenge in bricks:
                await self.tell(brick, root, signed(secret, challenge, elsewhere))

    async def report(self, brick: Child, root: Loc) -> tuple[str, Used] | None:
        """What a brick says, if it does."""
        reply = await brick.getxattr(root, REPORT).or_error()
        if reply.op_ret < 0:
            if brick.name not in self.silent:
                self.log.info("%s does not say what is used there: errno %d", brick.name, reply.op_errno)
                self.silent.add(brick.name)
            return None
        self.silent.discard(brick.name)
        said: Any = json.loads(reply.dict.get_as(REPORT, "bytes").rstrip(b"\0"))
        return said["challenge"], {key: (size, files) for key, (size, files) in said["used"].items()}

    async def tell(self, brick: Child, root: Loc, message: bytes) -> None:
        reply = await brick.setxattr(root, {ELSEWHERE: message}, 0).or_error()
        if reply.op_ret < 0:
            self.log.warning("%s does not take what the others have: errno %d", brick.name, reply.op_errno)


def signed(secret: bytes, challenge: str, elsewhere: Used) -> bytes:
    """What a brick believes: it has said the challenge, and only who has the key can have made this of it."""
    text = json.dumps({"challenge": challenge, "elsewhere": elsewhere}).encode()
    return hmac.new(secret, text, "sha256").hexdigest().encode() + b" " + text


def groups(layer: Child) -> list[Child]:
    """The subvolumes that have different files."""
    while layer.type != "cluster/distribute":
        if len(layer.children) != 1:
            return [layer]
        layer = layer.children[0]
    return list(layer.children)


def lowest(layer: Child) -> Iterator[Child]:
    for below in layer.children:
        yield from lowest(below)
    if not layer.children:
        yield layer


def most(reports: Any) -> Used:
    """What replicas have: one that was down for a while has less."""
    found: Used = {}
    for used in reports:
        for key, (size, files) in used.items():
            known = found.get(key, (0, 0))
            found[key] = max(known[0], size), max(known[1], files)
    return found


def added(reports: Any) -> Used:
    sizes: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for used in reports:
        for key, (size, count) in used.items():
            sizes[key] += size
            files[key] += count
    return {key: (sizes[key], files[key]) for key in sizes}
