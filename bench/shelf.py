"""What the shelf's translators cost, each as it comes and as it is used, beside a plain def and what GlusterFS has of the kind.

Two tables of one command. Instructions: fops to a child that answers at once, counted by callgrind with all threads, so also
those of a Writer; much the same on any machine. Mounts: what small files and streams take on a FUSE mount to a directory, where
quota, retain and trash have a storage to ask, which they need.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import instructions
import mounts
from contenders import Contender, glupy
from support.volfiles import layer

FOPS = ("stat", "writev4k", "create", "unlink")

#: What translators say as they are meant to.
SAID = (r" 0-.*faults are ", r"debug/error-gen|error-gen", r" 0-layer")

POLICY = """
record uid=4711  fop=open  name=*.key
deny   name=*.exe|*.com  fop=create|rename|link|open
deny   client=*HOST:guest*  fop=changing  error=EROFS
deny   fop=removing  name=*.doc|*.xls  at=22:00-06:00
allow  gid=500
"""


def shelf(name: str, what: str = "", **options: object) -> Contender:
    """A translator of the shelf, as it comes or with something about it."""
    return Contender(f"{name}: {what}" if what else name, glupy(name, **options), fops=FOPS)


def beside(kind: str, what: str, **options: object) -> Contender:
    """What GlusterFS has of the kind."""
    return Contender(f"{kind}: {what}", layer("layer", kind, **options), fops=FOPS)


def contenders(folder: Path) -> tuple[Contender, ...]:
    """All of them; what they write is in a folder."""
    (folder / "policy").write_text(POLICY)
    (folder / "elsewhere").write_text("deny fop=rename name=*.exe\n")
    return (
        Contender("nothing", fops=FOPS),
        Contender("plain def", glupy("bench_any_plain"), fops=FOPS),
        shelf("audit", file=folder / "audit"),
        shelf("audit", "chain", file=folder / "chained", chain="on"),
        shelf("fault"),
        shelf("fault", "on, three rules of others", active="on", rules="fop=writev,path=*.db,every=100,fail=EIO;"
              "uid=4711,fail=EIO;fop=open,path=/slow/*,delay=1"),
        beside("debug/error-gen", "other fops", enable="rename"),
        beside("debug/delay-gen", "other fops", enable="rename"),
        shelf("negative_lookup"),
        shelf("policy", "rules of other fops", file=folder / "elsewhere"),
        shelf("policy", "five rules", file=folder / "policy"),
        shelf("qos", by="user"),
        shelf("qos", "with ceilings", by="user", rules="who=0,ops=100000000,bytes=1000GB,meta=100000000"),
        shelf("quota"),
        shelf("retain"),
        shelf("retain", "commit-after", commit_after="1h"),
        beside("features/worm", "by files", worm_file_level="on"),
        shelf("trace", "off", enabled="off"),
        shelf("trace", "slow ones", slower=1000, file=folder / "slow"),
        shelf("trace", "all, to a file", file=folder / "trace"),
        beside("debug/trace", "other fops", include_ops="RENAME"),
        beside("debug/trace", "all, to the log", log_file="yes", log_history="no"),
        shelf("trash"),
        shelf("watch", directory=folder / "feeds"),
        shelf("watch", "writes first", directory=folder / "first", writes="first"),
    )


#: Which need a storage for these fops, as the leaf of the other bench has no directories; and what is silent in its process.
STORED = {"quota": FOPS, "retain: commit-after": FOPS, "trash": ("unlink",), "features/worm: by files": FOPS,
          "debug/trace: all, to the log": FOPS}


def counted(folder: Path) -> tuple[Contender, ...]:
    """Those whose instructions are counted, with their fops."""
    return tuple(replace(each, fops=tuple(fop for fop in FOPS if fop not in STORED.get(each.name, ())))
                 for each in contenders(folder))


def count(options: argparse.Namespace) -> Iterator[instructions.Count]:
    with tempfile.TemporaryDirectory(prefix="glupy-bench.") as folder:
        things = instructions.chosen(options, counted(Path(folder)))
    yield from instructions.in_layers(options, things, "shelf", "--send")


def send_here(options: argparse.Namespace) -> None:
    """The process that is counted."""
    with tempfile.TemporaryDirectory(prefix="glupy-bench.") as folder:
        instructions.send_here(options, counted(Path(folder)), SAID)


# --- on mounts -------------------------------------------------------------------------------------------------------


def limited(top: Path) -> None:
    os.setxattr(top, "user.quota.limit.user.0", b"bytes=1TB files=1000000")


#: Contenders whose mount is made ready before it is used, besides those above.
READY: dict[str, tuple[str, Callable[[Path], None]]] = {"quota: a user's limit": ("quota", limited)}


def on_mounts(options: argparse.Namespace) -> Iterator[mounts.Sample]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="glupy-bench.")))
        graphs = {each.name: [each.layer] if each.layer else [] for each in contenders(folder)}
        graphs.update({name: graphs[like] for name, (like, _) in READY.items()})
        chosen = {name: graph for name, graph in graphs.items() if not options.only or name in options.only}
        up = {name: stack.enter_context(mounts.mounted(name, graph, SAID)) for name, graph in chosen.items()}
        for name, (_, ready) in READY.items():
            if name in up:
                ready(up[name].path)
        yield from mounts.in_turns(up, options)
