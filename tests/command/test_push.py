"""`glupy push` without glusterd: what is carried, what a node takes, and what is said of each."""

from __future__ import annotations

import hashlib
import json
import os
import stat

import pytest

from glupy.command import machine, push
from glupy.command.problem import Problem
from glupy.command.sources import Source, checksum
from glupy.command.volumes import asking, gluster, node, parcels, taking
from glupy.command.volumes.gluster import Peer
from glupy.loading import finding

SOURCE = "from glupy import Translator\nclass Sample(Translator):\n    def stat(self, frame, loc, xdata):\n        pass\n"


@pytest.fixture
def glusterd(trusted, monkeypatch):
    """glusterd's directory."""
    folder = trusted / "glusterd"
    folder.mkdir()
    monkeypatch.setattr(node, "GLUSTERD", folder)
    return folder


@pytest.fixture
def take(call, link, glusterd, trusted):
    """What this node answers when it is handed something, with its configuration as it says."""
    def take(data, name="sample", configuration="push = yes", parcel=None, nodes=("u1",)):
        (trusted / "glupy.conf").write_text(f"[glupy]\n{configuration}\n")
        parcel = parcel or f"glupy-push-{hashlib.sha256(data).hexdigest()}"
        (glusterd / os.path.basename(parcel)).write_bytes(data)
        answer = taking.take(glusterd, name, parcel, nodes, "u1")
        assert not [path for path in glusterd.iterdir() if path.name.startswith("glupy-push-")]
        assert [path.name for path in finding.ADMINISTRATOR.iterdir() if path.name.startswith(".")] == []
        return answer
    return take


def of(**files):
    """What is carried, of texts by their paths."""
    return parcels.packed_files({path.replace("__", "/", 1) + ".py": text.encode() for path, text in files.items()})


def test_taken(take, link):
    target = finding.ADMINISTRATOR / "sample.py"
    answer = take(of(sample=SOURCE))
    assert answer == {"file": str(target), "sum": hashlib.sha256(SOURCE.encode()).hexdigest()}
    status = target.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o644)
    assert link.resolve() == (machine.home() / "glupy.so").resolve()
    assert "problem" not in take(of(sample=SOURCE + "# two\n")) and target.read_text().endswith("# two\n")


def test_package(take, write, trusted):
    write(SOURCE + "from . import words\n", "sample/__init__.py")
    write("WORD = 1\n", "sample/words.py")
    source = Source("sample", trusted / "sample/__init__.py")
    assert take(parcels.packed(source))["sum"] == checksum(source)
    assert sorted(path.name for path in (finding.ADMINISTRATOR / "sample").glob("*.py")) == ["__init__.py", "words.py"]


@pytest.mark.parametrize("configuration", ["", "push = no", "translators = /nowhere"])
def test_not_allowed(take, configuration):
    assert "this node does not allow it; push = yes in " in take(of(sample=SOURCE), configuration=configuration)["problem"]
    assert list(finding.ADMINISTRATOR.iterdir()) == []


@pytest.mark.parametrize("arguments, wrong", [
    ({"data": of(sample=SOURCE), "parcel": "glupy-push-" + "0" * 64}, "arrived otherwise than it was sent"),
    ({"data": of(sample=SOURCE), "parcel": "../glusterd/glupy-push-" + "0" * 64}, "is no parcel's name"),
    ({"data": of(sample=SOURCE), "name": "../sample"}, "is no module name"),
    ({"data": of(sample=SOURCE), "name": "other"}, "is not other"),
    ({"data": of(sample=SOURCE, more=SOURCE)}, "is not sample"),
    ({"data": of(sample=SOURCE), "configuration": "push = perhaps"}, "expected yes or no"),
    ({"data": of(sample="class Sample:\n")}, "sample does not load here: "),
    ({"data": b"no JSON"}, "is no translator"),
    ({"data": b"[]"}, "is no translator"),
    ({"data": json.dumps({"../sample.py": ""}).encode()}, "a file '../sample.py'"),
    ({"data": json.dumps({"/sample.py": ""}).encode()}, "a file '/sample.py'"),
    ({"data": json.dumps({"sample.py": "?"}).encode()}, "is no translator"),
])
def test_refused(take, arguments, wrong):
    assert wrong in take(**arguments)["problem"]
    assert list(finding.ADMINISTRATOR.iterdir()) == []


def test_not_meant(take):
    assert take(of(sample=SOURCE), nodes=("u2",)) == {}
    assert list(finding.ADMINISTRATOR.iterdir()) == []


def test_another_one_goes_first(take, write, trusted):
    write(SOURCE, "first/sample.py")
    answer = take(of(sample=SOURCE + "# two\n"), configuration=f"push = yes\ntranslators = {trusted}/first")
    assert f"but it will not be found, since {trusted}/first/sample.py goes first" in answer["problem"]


def test_too_much(write, trusted):
    write("# " + "x" * parcels.MOST, "sample.py")
    with pytest.raises(Problem, match="glusterd is not asked to carry more than"):
        parcels.packed(Source("sample", trusted / "sample.py"))


@pytest.fixture
def nodes(monkeypatch, glusterd):
    """This node, one that allows it, one that does not, one that is away. What was carried, and the answer of the second."""
    answers = {"u2": {"file": "/etc/glupy/translators/sample.py", "sum": "0" * 64}}
    carried = []
    peers = [Peer("u1", "n1", True, True), Peer("u2", "n2", True), Peer("u3", "n3", True), Peer("u4", "n4", False)]
    monkeypatch.setattr(gluster, "peers", lambda: peers)
    monkeypatch.setattr(gluster, "copy_file", lambda name: carried.append((glusterd / name).read_bytes()))

    def ask(question, asked):
        assert [peer.uuid for peer in asked] == ["u1", "u2", "u3"]
        if question["do"] == "offer":
            return {"u1": taking.offered(question["name"]), "u2": {"allowed": True, "file": None, "sum": None},
                    "u3": {"allowed": False, "file": None, "sum": None}}
        assert question["nodes"] == ["u2"]
        return {"u1": {}, "u3": {}, **answers}
    monkeypatch.setattr(asking, "ask", ask)
    return answers, carried


def test_each_node(call, link, write, nodes, glusterd):
    file = write(SOURCE, "src/sample.py")
    result = json.loads(call("push", file, "--json", "--dry-run", status=1).stdout)
    assert [each["state"] for each in result["nodes"]] == ["would install", "would install", "not allowed", "away"]
    assert list(finding.ADMINISTRATOR.iterdir()) == [] and nodes[1] == []
    lines = call("push", file, status=1).stdout.splitlines()
    assert lines[0].startswith(f"n1: installed, {finding.ADMINISTRATOR}/sample.py, SHA-256 ")
    assert lines[1].startswith("n2: installed, /etc/glupy/translators/sample.py, ")
    assert lines[2].startswith("n3: it takes nothing from other nodes: no push = yes in its ")
    assert lines[3:5] == [f"    scp {file} root@n3:", "    ssh root@n3 glupy install sample.py"]
    assert lines[5] == "n4: it cannot be reached" and "systemctl start glusterd" in lines[6]
    assert (finding.ADMINISTRATOR / "sample.py").read_text() == SOURCE and list(glusterd.iterdir()) == []
    assert nodes[1] == [parcels.packed(Source("sample", file))]
    again = json.loads(call("push", file, "--json", status=1).stdout)
    assert again["nodes"][0]["state"] == "same" and again["sum"] == again["nodes"][0]["sum"] == checksum(Source("sample", file))


def test_a_node_that_refuses(call, link, write, nodes):
    nodes[0]["u2"] = {"problem": "sample does not load here: no module named sea"}
    result = json.loads(call("push", write(SOURCE, "src/sample.py"), "--json", status=1).stdout)
    failed = result["nodes"][1]
    assert (failed["state"], failed["problem"]) == (push.FAILED, nodes[0]["u2"]["problem"])
    assert failed["mend"][0].startswith("scp")


def test_what_does_not_load_goes_nowhere(call, link, write, nodes):
    output = call("push", write("class Sample:\n", "src/sample.py"), status=1).output
    assert "is not installed; mend what stands above first" in output
    assert nodes[1] == [] and list(finding.ADMINISTRATOR.iterdir()) == []
