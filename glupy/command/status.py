"""`glupy status`: which volumes have which layers, and what differs between nodes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from glupy.command import machine, output
from glupy.command.volumes import asking, checking, gluster
from glupy.command.volumes.gluster import Peer, Volume
from glupy_filter.layers import CLIENT


@click.command(short_help="Show the translators of volumes, on all nodes.")
@click.argument("volume", required=False)
@output.json_option
def command(volume: str | None, as_json: bool) -> None:
    """Show the translators under VOLUME, or under all volumes of the cluster, as each node has them. This takes root.

    Of each there is a line by brick, and for clients by node and by mount on it: the node, the brick and the process, the
    version of glupy, the first digits of the SHA-256 of the translator's file, what that process has counted, and the
    options in the volfile. Of clients that are no nodes' only the addresses are known. Below stands what is not as the
    volume's options say, or not the same everywhere: a brick that has not been restarted, a node that cannot be reached,
    another version of the file, a process that runs another one than is there now. A node without glupy keeps all from
    being asked, and is named.

    What is counted are the operations that came to the layer since the process began or got its graph: those that were
    answered with an error, those in which the translator's code failed, those without an answer yet.

    With --json it is a list of volumes, with volume, started, asked, layers, elsewhere, differences; each of layers has
    calls, failed, exceptions and in_flight as counts, or null where a process does not say; sum is the SHA-256 of the file
    that is there, loaded of the one that the process has loaded. The exit status is 1 if anything differs.
    """
    machine.need_root("glupy status")
    found = gluster.volumes(volume)
    peers = gluster.peers()
    there = [peer for peer in peers if peer.connected]
    answers = asking.ask({"do": "state", "volumes": [each.name for each in found], "count": True}, there)
    shown = [describe(each, peers, answers) for each in found]
    if as_json:
        output.print_json(shown)
    else:
        _print(shown)
    sys.exit(1 if any(each["differences"] for each in shown) else 0)


def describe(volume: Volume, peers: list[Peer], answers: dict[str, Any]) -> dict[str, Any]:
    """All that is known of a volume's layers, as plain values."""
    seen = [{"host": peer.host, **answers[peer.uuid], "here": answers[peer.uuid]["volumes"][volume.name]}
            for peer in peers if peer.uuid in answers]
    layers = [row for node in seen for row in _rows(node)]
    away = [f"{peer.host} cannot be reached" for peer in peers if not peer.connected]
    return {"volume": volume.name, "started": volume.started, "asked": {name: layer.value for name, layer in
                                                                        volume.layers.items()},
            "layers": layers, "elsewhere": _elsewhere(volume, peers),
            "differences": [*away, *_differences(volume, seen, layers)]}


def _elsewhere(volume: Volume, peers: list[Peer]) -> list[str]:
    """The machines that have the layers of clients and cannot be asked."""
    in_clients = any(layer.place == CLIENT for layer in volume.layers.values())
    return checking.clients_outside(volume, peers) if in_clients and volume.started else []


def _rows(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The layers of one node."""
    here = node["here"]

    def row(name: str, place: str, process: dict[str, Any], options: dict[str, str]) -> dict[str, Any]:
        return {"name": name, "place": place, "node": node["host"], "brick": process.get("path"), "pid": process["pid"],
                "options": options, "counts": process["counts"].get(name), "loaded": process.get("loaded", {}).get(name),
                "glupy": node["glupy"], "gluster": node["gluster"], **here["files"][name]}
    for brick in here["bricks"]:
        for name, layer in brick["layers"].items():
            yield row(name, layer["place"], brick, layer["options"])
    for name, options in here["client"].items():
        for mount in here["mounts"] or [{"pid": None, "counts": {}}]:
            yield row(name, CLIENT, mount, options)


def _differences(volume: Volume, seen: list[dict[str, Any]], layers: list[dict[str, Any]]) -> Iterator[str]:
    """What is not as it should be."""
    asked = volume.layers
    for node in seen:
        if asked and node["filter"]:
            yield f"{node['host']}: {node['filter']}"
        for brick in node["here"]["bricks"]:
            wanted = {name for name, layer in asked.items() if layer.in_bricks}
            for name in sorted(wanted ^ brick["layers"].keys()):
                yield (f"{node['host']}: {brick['path']} {'lacks' if name in wanted else 'still has'} {name}; "
                       f"glupy {'attach' if name in wanted else 'detach'} {volume.name} {name} goes on with it")
        for name in sorted({name for name, layer in asked.items() if layer.place == CLIENT} ^ node["here"]["client"].keys()):
            yield (f"{node['host']}: the volfile of clients {'lacks' if name in asked else 'still has'} {name}; "
                   f"the next gluster volume set {volume.name} mends it")
    for row in layers:
        if row["name"] in asked and row["options"] != asked[row["name"]].options:
            yield (f"{row['node']}: {row['brick'] or 'clients'}: the options of {row['name']} are not those that are set; the "
                   f"next gluster volume set {volume.name} mends it")
        if row["loaded"] and row["sum"] and row["loaded"] != row["sum"]:
            yield (f"{row['node']}: {row['brick'] or 'clients'}: process {row['pid']} runs another file of {row['name']}, "
                   f"{row['loaded'][:12]}, than is there now; glupy set {volume.name} {row['name']} reload={_fresh(row)} "
                   "has it loaded")
        if row["problem"]:
            yield f"{row['node']}: {row['problem']}"
    for what in ("sum", "glupy", "gluster"):
        yield from _unlike(what, layers)


def _fresh(row: dict[str, Any]) -> str:
    """A text for option reload that it does not have yet."""
    text: str = row["sum"][:12]
    return text if row["options"].get("reload") != text else f"{text}-again"


def _unlike(what: str, layers: list[dict[str, Any]]) -> Iterator[str]:
    """Where nodes have different files or versions."""
    words = {"sum": "the file of {}", "glupy": "glupy under {}", "gluster": "GlusterFS under {}"}
    for name in sorted({row["name"] for row in layers}):
        values = {row["node"]: row[what] for row in layers if row["name"] == name and row[what]}
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{node} {value[:12]}" for node, value in values.items())
            yield f"{words[what].format(name)} is not the same on all nodes: {listed}"


def _print(shown: list[dict[str, Any]]) -> None:
    for each in shown:
        if not each["layers"] and not each["differences"]:
            continue
        click.echo(click.style(each["volume"], bold=True) + ("" if each["started"] else " (stopped)"))
        output.print_table([_line(row) for row in each["layers"]], ("bold", "", "", "", "", "", ""))
        if each["elsewhere"]:
            click.echo(f"  also in clients that are no nodes, and cannot be asked: {', '.join(each['elsewhere'])}")
        for sentence in each["differences"]:
            click.echo(f"  {click.style('DIFFERS', fg='red', bold=True)} {sentence}")
    if not any(each["layers"] for each in shown):
        click.echo("no volume has a layer by glupy attach")


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    where = row["brick"] or "clients"
    process = f"process {row['pid']}" if row["pid"] else ("" if row["brick"] is None else "not running")
    return (f"  {row['name']}", f"{row['node']}:{where}", row["place"] if row["brick"] else "", process,
            f"glupy {row['glupy']}, {(row['sum'] or 'no file')[:12]}", _counted(row["counts"]),
            " ".join(f"{key}={text}" for key, text in row["options"].items()))


def _counted(counts: dict[str, int] | None) -> str:
    if counts is None:
        return ""
    parts = [f"{counts['calls']} calls"]
    for key, word in (("failed", "failed"), ("exceptions", "exceptions"), ("in_flight", "in flight")):
        if counts[key]:
            parts.append(f"{counts[key]} {word}")
    return ", ".join(parts)
