"""What a volume's options say of layers, and volfiles rewritten by it: without glusterd."""

from __future__ import annotations

import os

import pytest

from glupy.command.problem import Problem
from glupy.command.volumes import asking, checking, counting
from glupy.command.volumes.counting import Said
from glupy.command.volumes.gluster import Peer, Volume
from glupy_filter import bricks, layers, rewriting
from glupy_filter.graphs import Graph
from glupy_filter.layers import POSITIONS, Layer

BRICK = "".join(
    f"volume {name}\n    type {kind}\n{f'    subvolumes {below}{chr(10)}' if below else ''}end-volume\n\n"
    for name, kind, below in (("vol-posix", "storage/posix", ""), ("vol-locks", "features/locks", "vol-posix"),
                              ("/b/one", "debug/io-stats", "vol-locks"), ("vol-server", "protocol/server", "/b/one")))
CLIENT = ("volume vol-client-0\n    type protocol/client\n    option remote-host n1\nend-volume\n\n"
          "volume vol-client-1\n    type protocol/client\nend-volume\n\n"
          "volume vol-dht\n    type cluster/distribute\n    subvolumes vol-client-0 vol-client-1\nend-volume\n\n"
          "volume vol\n    type debug/io-stats\n    subvolumes vol-dht\nend-volume\n\n")


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """A volume's folder as glusterd has it, with a brick of this node."""
    monkeypatch.setattr(bricks, "RUN", tmp_path / "run")
    folder = tmp_path / "vols/vol"
    (folder / "bricks").mkdir(parents=True)
    (folder / "bricks/n1:-b-one").write_text("hostname=n1\npath=/b/one\n")
    for path in (folder / "vol.n1.b-one.vol", folder / "vol-shd.vol"):
        path.write_text(BRICK)
    for path in (*rewriting.client_volfiles(folder), folder / "trusted-vol.tcp-gfproxy-fuse.vol"):
        path.write_text(CLIENT)
    (folder / "info").write_text("type=0\nstatus=1\n")
    return folder


def test_value_and_back():
    for text in ("plain", "a b", 'a "b" \\c', "100%", "a=b", "ü", "\udcff"):
        layer = Layer("audit", "posix", {"file": text, "max-age": "5m"})
        assert layers.parse("audit", layer.value) == layer
        assert set(layer.value) <= set(map(chr, range(33, 127))) | {" "}
    assert layers.parse("audit", "client") == Layer("audit", "client")


@pytest.mark.parametrize("name, value, wrong", [
    ("a/b", "posix", "is no translator's name"), ("audit", "io-stats", "is no position"), ("audit", "", "is no position"),
    ("audit", "posix a;b=1", "is no option's name"), ("audit", "posix a=", "no empty value"),
    ("audit", "posix a=%60id%60", "backquote"), ("audit", "posix a=x%0Ay", "line break"), ("audit", "posix a", "no empty"),
])
def test_values_that_are_none(name, value, wrong):
    with pytest.raises(ValueError, match=wrong):
        layers.parse(name, value)
    found, said = layers.of_pairs({f"user.glupy.{name}": value, "user.glupy.good": "client", "user.glupy.gone": "off"})
    assert list(found) == ["good"] and len(said) == 1


def test_insert_and_strip():
    graph = Graph(BRICK, "vol")
    two = [Layer("a", "posix", {"x": 'q "w" \\'}), Layer("b", "posix"), Layer("c", "locks")]
    assert graph.insert(two) == []
    assert list(graph.bodies) == ["vol-posix", "vol-glupy-a", "vol-glupy-b", "vol-locks", "vol-glupy-c", "/b/one",
                                  "vol-server"]
    assert [graph.below(name) for name in graph.bodies] == [[], ["vol-posix"], ["vol-glupy-a"], ["vol-glupy-b"], ["vol-locks"],
                                                           ["vol-glupy-c"], ["/b/one"]]
    again = Graph(str(graph), "vol")
    assert again.layers() == {layer.name: layer for layer in two}
    again.strip()
    assert str(again) == str(Graph(BRICK, "vol")) and again.layers() == {}


def test_no_place():
    graph = Graph(BRICK, "vol")
    assert graph.insert([Layer("a", "quota"), Layer("b", "client")]) == [Layer("a", "quota"), Layer("b", "client")]
    assert str(graph) == str(Graph(BRICK, "vol"))
    assert "io-stats" not in POSITIONS


def test_each_volfile(volume):
    (volume / "info").write_text("user.glupy.a=posix x=1\nuser.glupy.b=client\nuser.glupy.c=off\n")
    for path in volume.glob("*.vol"):
        assert rewriting.rewrite(path) == []
    found = {path.name: set(Graph(path.read_text(), "vol").layers()) for path in volume.glob("*.vol")}
    assert found == {"vol.n1.b-one.vol": {"a"}, "vol-shd.vol": set(), "trusted-vol.tcp-fuse.vol": {"b"},
                     "vol.tcp-fuse.vol": {"b"}, "trusted-vol.tcp-gfproxy-fuse.vol": set()}
    texts = {path: path.read_text() for path in volume.glob("*.vol")}
    for path in texts:
        rewriting.rewrite(path)
    assert {path: path.read_text() for path in texts} == texts


def test_brick_that_is_not_stored_yet(volume):
    """add-brick writes the volfile of a brick before it stores the brick."""
    (volume / "info").write_text("user.glupy.a=posix x=1\n")
    new = BRICK.replace("type storage/posix\n", "type storage/posix\n    option directory /b/two.more\n")
    for name, there in {"vol.n2.example.b-two.more.vol": {"a"}, "vol.n2.example.b-three.vol": set(), "vol-quotad.vol": set(),
                        "vol.gfproxyd.vol": set()}.items():
        path = volume / name
        path.write_text(new)
        assert rewriting.rewrite(path) == []
        assert set(Graph(path.read_text(), "vol").layers()) == there, name
    (volume / "bricks/n2.example:-b-two.more").write_text("hostname=n2.example\npath=/b/two.more\n")
    brick = next(each for each in bricks.of(volume) if each.host == "n2.example")
    assert brick.volfile.name == "vol.n2.example.b-two.more.vol" and set(brick.started_with()) == {"a"}


def test_nothing_asked_nothing_touched(volume):
    texts = {path: (path.stat().st_ino, path.read_text()) for path in volume.glob("*.vol")}
    for path in texts:
        rewriting.rewrite(path)
    assert {path: (path.stat().st_ino, path.read_text()) for path in texts} == texts


def test_brick_that_runs_keeps_its_layers(volume, monkeypatch):
    brick, = bricks.of(volume)
    (volume / "info").write_text("user.glupy.a=posix x=1\n")
    rewriting.rewrite(brick.volfile)
    monkeypatch.setattr(type(brick), "pid", 7)
    # Other options are handed on, other layers are not, and what was taken out stays.
    (volume / "info").write_text("user.glupy.a=posix x=2\nuser.glupy.b=locks\n")
    brick.volfile.write_text(BRICK)  # as glusterd writes it
    rewriting.rewrite(brick.volfile)
    assert Graph(brick.volfile.read_text(), "vol").layers() == {"a": Layer("a", "posix", {"x": "2"})}
    for asked in ("user.glupy.a=off\n", "user.glupy.a=locks x=3\n", ""):
        (volume / "info").write_text(asked)
        brick.volfile.write_text(BRICK)
        rewriting.rewrite(brick.volfile)
        assert Graph(brick.volfile.read_text(), "vol").layers() == {"a": Layer("a", "posix", {"x": "1"})}
    monkeypatch.setattr(type(brick), "pid", None)
    brick.volfile.write_text(BRICK)
    rewriting.rewrite(brick.volfile)
    assert Graph(brick.volfile.read_text(), "vol").layers() == {} and brick.started_with() == {}


def test_process_of_a_brick(volume):
    brick, = bricks.of(volume)
    assert brick.pid is None
    file = bricks.RUN / "vols/vol/n1-b-one.pid"
    file.parent.mkdir(parents=True)
    for text in ("", "none", f"{os.getpid()}\n", "999999999\n"):  # the third runs, and is none of GlusterFS's
        file.write_text(text)
        assert brick.pid is None


def test_answers_in_pieces():
    answers = {"u1": {"text": "x" * 5000}, "u2": {"text": "ü"}}
    lines = [line for uuid, answer in answers.items() for line in asking.lines(uuid, answer)]
    assert max(map(len, lines)) < 1000 and len(lines) > 3
    assert asking.gathered("\n".join(["noise", *reversed(lines)])) == answers
    assert asking.gathered("\n".join(lines[1:])) == {"u2": answers["u2"]}


def test_glupy_in_two_versions(monkeypatch, capsys):
    """As while nodes are brought up to another one: a layer is not changed then."""
    here = {"problems": [], "sum": "ab" * 32, "file": "/t/a.py"}
    answers = {uuid: {"glupy": version, "problems": [], "translators": {"a": here}}
               for uuid, version in (("u1", "1"), ("u2", "2"))}
    monkeypatch.setattr(asking, "ask", lambda question, peers: answers)
    peers = [Peer("u1", "n1", True), Peer("u2", "n2", True), Peer("u3", "n3", False)]
    volume = Volume("vol", True, (("u1", "n1:/b"),), 1, 0, {})
    with pytest.raises(Problem, match="nothing was changed"):
        checking.ready(volume, Layer("a", "posix"), peers)
    said = capsys.readouterr().err
    assert "n1: glupy 1 is here, and others have another version\n    apt install" in said and "n2: glupy 2 is here" in said
    answers["u2"]["glupy"] = "1"
    checking.ready(volume, Layer("a", "posix"), peers)


def test_volfiles_of_a_snapshot(volume):
    """They are in a folder of the snapshot's, by the name that its volume has there, and so is what a process began with."""
    folder = volume.parents[1] / "snaps/daily/0a1b"
    folder.parent.mkdir(parents=True)
    volume.rename(folder)
    for path in folder.glob("*vol*.vol"):
        path.rename(folder / path.name.replace("vol", "0a1b", 1))
    (folder / "info").write_text("user.glupy.a=posix x=1\nuser.glupy.b=client\n")
    for path in folder.glob("*.vol"):
        assert rewriting.rewrite(path) == []
    found = {path.name: set(Graph(path.read_text(), "0a1b").layers()) for path in folder.glob("*.vol")}
    assert found == {"0a1b.n1.b-one.vol": {"a"}, "0a1b-shd.vol": set(), "trusted-0a1b.tcp-fuse.vol": {"b"},
                     "0a1b.tcp-fuse.vol": {"b"}, "trusted-0a1b.tcp-gfproxy-fuse.vol": set()}
    assert set(next(bricks.of(folder)).started_with()) == {"a"}
    assert (bricks.RUN / "snaps/daily/0a1b/n1-b-one.glupy").exists()


def test_counts_in_a_statedump():
    dump = ("[global]\n\n[xlator.glupy.vol-glupy-a]\nin_flight=3\nfops.stat.calls=5\nfops.stat.in_flight=1\n"
            "fops.stat.failed=2\nfops.stat.errors.ENOENT=2\nfops.open.calls=4\nfops.open.exceptions=1\ntasks.calls=9\n"
            f"options.loaded.sha256={'0a' * 32}\n\n"
            "[xlator.features.locks.vol-locks.priv]\nfops.stat.calls=77\n[xlator.glupy.vol-glupy-b]\n"
            "fops.stat.calls=1\n[xlator.glupy.vol-glupy-b]\nfops.stat.calls=2\n")
    assert counting.read(dump) == {
        "vol-glupy-a": Said({"calls": 9, "in_flight": 1, "failed": 2, "exceptions": 1}, "0a" * 32),
        "vol-glupy-b": Said({"calls": 3, "in_flight": 0, "failed": 0, "exceptions": 0}),
    }
