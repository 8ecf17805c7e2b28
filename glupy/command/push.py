"""`glupy push`: a translator, handed to all nodes of the cluster that allow it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from glupy.command import install, installing, machine, output, sources
from glupy.command.sources import Source
from glupy.command.volumes import asking, gluster, node, parcels, taking
from glupy.command.volumes.gluster import Peer
from glupy.loading import finding

#: What becomes of a node. With the first three it has the translator in the end.
INSTALLED, SAME, WOULD, REFUSED, FAILED, AWAY = "installed", "same", "would install", "not allowed", "failed", "away"
WELL = (INSTALLED, SAME, WOULD)


@dataclass(frozen=True)
class Result:
    """Of one node. `problem` is a sentence, `mend` the commands that mend it."""

    node: str
    state: str
    file: str | None = None
    sum: str | None = None
    problem: str | None = None
    mend: tuple[str, ...] = ()


@click.command(short_help="Hand a translator to all nodes of the cluster that allow it.")
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Check the file here, ask the nodes, and change nothing.")
@output.json_option
def command(file: str, dry_run: bool, as_json: bool) -> None:
    """Install the translator in FILE, a file or a package's folder, on this node and on all nodes of its cluster that allow
    it: in /etc/glupy/glupy.conf of the receiving node stands push = yes, under [glupy]. Without that entry a node takes
    nothing from others. This takes root.

    The file is checked here first, as by glupy install; with an error nothing is changed anywhere. glusterd carries it. Each
    node looks by itself whether it allows it, whether it is what was sent, and whether it loads there, and puts it in place
    in one step with its link, belonging to root and writable by nobody else. A node that has the same file already keeps it.
    Bricks and clients that run keep what they have loaded: glupy set VOLUME NAME reload=TEXT has all of them load it.

    There is a line for each node. One that does not allow it, cannot be reached or did not take it is followed by the
    commands that mend it. The same command again goes on with those that lack it.

    With --json it is an object with name, sum, nodes; each of nodes has node, state, file, sum, problem, mend. The exit
    status is 0 if all nodes have the translator in the end (with --dry-run: would have), else 1.
    """
    machine.need_root("glupy push")
    source = sources.named(file)
    sources.check_found(source)
    peers = gluster.peers()
    offers = asking.ask({"do": "offer", "name": source.name}, [peer for peer in peers if peer.connected])
    with installing.copied(source) as copy:
        install.say_findings(copy, source)
        wanted = sources.checksum(copy.source)
        data = parcels.packed(copy.source)
        results = list(_foreseen(source, wanted, peers, offers))
        if not dry_run:
            results = _carry_out(source, data, copy, peers, results)
    _show(source, wanted, results, as_json)
    sys.exit(0 if all(each.state in WELL for each in results) else 1)


def _foreseen(source: Source, wanted: str, peers: list[Peer], offers: dict[str, Any]) -> Iterator[Result]:
    """What will become of each node, before anything is done."""
    for peer in peers:
        offer = offers.get(peer.uuid)
        if offer is None:
            yield Result(peer.host, AWAY, problem="it cannot be reached",
                         mend=("systemctl start glusterd    # there, then glupy push once more; or:", *_by_hand(source, peer)))
        elif offer["sum"] == wanted:
            yield Result(peer.host, SAME, offer["file"], wanted)
        elif offer["allowed"] or peer.here:
            yield Result(peer.host, WOULD, offer["file"], offer["sum"])
        else:
            yield Result(peer.host, REFUSED, offer["file"], offer["sum"], mend=_by_hand(source, peer),
                         problem=f"it takes nothing from other nodes: no push = yes in its {finding.CONFIGURATION}")


def _by_hand(source: Source, peer: Peer) -> tuple[str, ...]:
    """What copies it to a node without us."""
    path = source.file.parent if source.is_package else source.file
    return (f"scp {'-r ' if source.is_package else ''}{shlex.quote(str(path))} root@{peer.host}:",
            f"ssh root@{peer.host} glupy install {path.name}")


def _carry_out(source: Source, data: bytes, copy: installing.Copy, peers: list[Peer], foreseen: list[Result]) -> list[Result]:
    """Install it here and hand it to the others."""
    due = {peer.uuid: peer for peer, each in zip(peers, foreseen, strict=True) if each.state == WOULD}
    answers: dict[str, Any] = {}
    for uuid in [uuid for uuid, peer in due.items() if peer.here]:
        installing.put(copy)
        answers[uuid] = {**taking.present(source.name), "problem": install.hidden_by(source.name)}
    others = [uuid for uuid, peer in due.items() if not peer.here]
    if others:
        with parcels.posted(data, node.GLUSTERD) as parcel:
            gluster.copy_file(parcel)
            question = {"do": "take", "name": source.name, "parcel": parcel, "nodes": others}
            asked = asking.ask(question, [peer for peer in peers if peer.connected])
            answers |= {uuid: asked[uuid] for uuid in others}
    return [_outcome(source, peer, answers[peer.uuid]) if peer.uuid in answers else each
            for peer, each in zip(peers, foreseen, strict=True)]


def _outcome(source: Source, peer: Peer, answer: dict[str, Any]) -> Result:
    if answer.get("problem"):
        return Result(peer.host, FAILED, problem=answer["problem"], mend=_by_hand(source, peer))
    return Result(peer.host, INSTALLED, answer["file"], answer["sum"])


def _show(source: Source, wanted: str, results: list[Result], as_json: bool) -> None:
    if as_json:
        output.print_json({"name": source.name, "sum": wanted, "nodes": [asdict(each) for each in results]})
        return
    for each in results:
        click.echo(f"{each.node}: {_sentence(each, wanted)}")
        for line in each.mend:
            click.echo(f"    {click.style(line, bold=True)}")


def _sentence(each: Result, wanted: str) -> str:
    what = f"{each.file}, SHA-256 {wanted[:12]}"
    return {INSTALLED: f"installed, {what}", SAME: f"has it already, {what}",
            WOULD: f"would install it{' in place of ' + each.file if each.file else ''}"}.get(each.state) or f"{each.problem}"
