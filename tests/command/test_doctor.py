"""`glupy doctor`: each thing that can be wrong is found, with what mends it; and nothing where all is well."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

import glupy as package
from glupy.command import machine, session
from glupy.command.health import processes
from support.command import Running, glupy
from support.mounts import Mount
from support.volfiles import layer

pytestmark = pytest.mark.once

GOOD = "from glupy import Translator\nclass Good(Translator):\n    def stat(self, frame, loc, xdata):\n        pass\n"
BAD = GOOD + "    def unlink(self, frame, loc, xflags, xdata):\n        1 / 0\n"


@pytest.fixture
def bad(call):
    """What is not well, as (what, found, mend); the status has to agree."""
    def bad(what=None):
        looks = json.loads(call("doctor", "--json", status=None).output)
        found = [(each["what"], each["found"], each["mend"]) for each in looks if not each["well"]]
        call("doctor", "--quiet", status=1 if found else 0)
        return [each for each in found if what is None or each[0].startswith(what)]
    return bad


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch, trusted):
    """What other tests do at the same time, and what there is on the machine, is not looked at."""
    monkeypatch.setattr(processes, "GLUSTERD", trusted / "glusterd")
    monkeypatch.setenv("GLUPY_TMPDIR", str(trusted / "runs"))
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
    (trusted / "runs").mkdir()


def test_all_is_well(bad):
    assert bad() == []


def test_lines(call):
    lines = call("doctor").output.splitlines()
    assert all(line.startswith("ok  ") for line in lines)
    areas = {line[4:].partition(":")[0] for line in lines}
    assert areas >= {"GlusterFS", "Python", "build", "PATH", "link", "configuration", "folder", "translator", "fuse",
                     "glusterd"}


def test_no_gluster(bad, monkeypatch):
    monkeypatch.setattr(machine, "PATH", "/nowhere")
    assert bad("GlusterFS") == [("GlusterFS", "GlusterFS's program glusterfs is not installed",
                                 "on Debian: apt install glusterfs-client")]
    (_, found, mend), = bad("PATH")
    assert found == "no folder on it has glusterfs, glusterfsd, umount, setpriv, glupy" and "apt install" in mend


def test_another_gluster(bad, monkeypatch):
    monkeypatch.setattr(package, "GLUSTER_VERSION", "9.9")
    (_, found, mend), = bad("GlusterFS")
    assert "this glupy was built for 9.9" in found and mend.startswith("install the glupy that was built for ")


def test_build_that_does_not_open(bad, monkeypatch, trusted):
    (trusted / "home").mkdir()
    (trusted / "home/glupy.so").write_text("no object")
    monkeypatch.setattr(machine, "home", lambda: trusted / "home")
    (_, found, mend), = bad("build")
    assert f"GlusterFS cannot open {trusted}/home/glupy.so: " in found and mend.startswith("install glupy anew")
    assert "leads to" in bad("link")[0][1] and "is the command of another glupy" in bad("PATH")[0][1]


def test_path_without_sbin(bad, monkeypatch):
    monkeypatch.setenv("PATH", ":".join(part for part in os.environ["PATH"].split(":") if "sbin" not in part))
    assert bad() == [("PATH", "it lacks /usr/sbin", "export PATH=$PATH:/usr/sbin")]


def test_links(bad, monkeypatch, trusted, write):
    xlators = trusted / "xlator"
    (xlators / "user").mkdir(parents=True)
    monkeypatch.setattr(machine.Gluster, "xlators", xlators)
    monkeypatch.setattr(machine, "version_problem", lambda found: None)
    write(GOOD, "etc/good.py")
    (xlators / "user/old.so").symlink_to("/nowhere/glupy.so")
    (xlators / "user/other.so").write_text("")
    home = machine.home()
    assert ("link", f"GlusterFS does not find glupy: {xlators}/features/glupy.so is missing",
            f"mkdir -p {xlators}/features && ln -sfn {home}/glupy.so {xlators}/features/glupy.so") in bad("link")
    assert ("link", f"tests by glupy.testing do not run: {xlators}/features/glupy-ground.so is missing",
            f"mkdir -p {xlators}/features && ln -sfn {home}/ground.so {xlators}/features/glupy-ground.so") in bad("link")
    assert ("link", f"{xlators}/user/old.so leads to /nowhere/glupy.so, not to this glupy",
            f"ln -sfn {home}/glupy.so {xlators}/user/old.so") in bad("link")
    assert len(bad("link")) == 3
    missing = f"{trusted}/etc/good.py has no link: {xlators}/user/good.so is missing"
    assert missing in [each[1] for each in bad("translator")]
    for _, _, mend in bad("link") + bad("translator"):
        subprocess.run(mend, shell=True, check=True)
    assert bad() == []


def test_configuration(bad, write, trusted):
    file = write("[glupy]\ntranslators = here\n", "glupy.conf")
    (_, found, mend), = bad()
    assert found.startswith(f"{file}:2: translators names \"here\"") and mend == f"edit {file}"
    file.write_text(f"[glupy]\ntranslators = {trusted}/more\nvenv = {trusted}/venv\n")
    (_, folder, mend), = bad("folder")
    assert (folder, mend.partition(",")[0]) == (f"{trusted}/more is not there", f"mkdir {trusted}/more")
    (_, found, mend), = bad("venv")
    assert found.startswith(f"{trusted}/venv/pyvenv.cfg: cannot be read")
    assert mend.endswith(f"-m venv --clear {trusted}/venv")
    file.write_text("[glupy]\n")
    file.chmod(0o666)
    (_, found, mend), = bad("configuration")
    assert found.startswith(f"{file}: file is writable by others") and mend.startswith(f"chmod go-w {file}")


def test_trust(bad, write, trusted):
    file = write(GOOD, "etc/good.py")
    file.chmod(0o666)
    (_, found, mend), = bad("translator")
    assert found.startswith(f"{file}: file is writable by others") and mend.startswith(f"chmod go-w {file}")
    (trusted / "etc").chmod(0o777)
    (_, found, mend), = bad("folder")
    assert found.startswith(f"{trusted}/etc: folder is writable by others")
    assert mend.startswith(f"chmod go-w {trusted}/etc")


def test_fuse(bad, monkeypatch, trusted):
    monkeypatch.setattr(machine, "FUSE", trusted / "fuse")
    (_, found, mend), = bad()
    assert found.startswith(f"{trusted}/fuse is missing") and mend.startswith("modprobe fuse")


def test_programs_of_glusterd(bad, call, trusted, monkeypatch):
    """The filter and the peer program: they have to be there where there are volumes, lead to this glupy, and run."""
    xlators, home = trusted / "lib/10/xlator", machine.home()
    (xlators / "features").mkdir(parents=True)
    for name in ("glupy", "glupy-ground"):
        (xlators / f"features/{name}.so").symlink_to(home / f"{name.removeprefix('glupy-')}.so")
    monkeypatch.setattr(machine.Gluster, "xlators", xlators)
    monkeypatch.setattr(machine, "version_problem", lambda found: None)
    assert bad("filter") == bad("peer program") == []
    (trusted / "glusterd/vols/data").mkdir(parents=True)
    (_, found, mend), = bad("filter")
    assert found == f"glusterd does not run glupy's filter: {xlators.parent}/filter/glupy is missing"
    subprocess.run(mend, shell=True, check=True)
    (_, found, mend), = bad("peer program")
    assert found == f"this node does not answer glupy attach, status and push: {trusted}/lib/peer_glupy is missing"
    (trusted / "lib/peer_glupy").symlink_to("/nowhere/bin/peer_glupy")
    (_, found, mend), = bad("peer program")
    assert found == f"{trusted}/lib/peer_glupy leads to /nowhere/bin/peer_glupy, not to this glupy"
    subprocess.run(mend, shell=True, check=True)
    assert bad("filter") == bad("peer program") == []
    assert f"ok  peer program: {trusted}/lib/peer_glupy" in call("doctor", status=None).output
    other = trusted / "home/bin/peer_glupy"
    other.parent.mkdir(parents=True)
    other.write_text("#!/nowhere/python3 -I\n")
    monkeypatch.setattr(machine, "home", lambda: trusted / "home")
    subprocess.run(bad("peer program")[0][2], shell=True, check=True)
    (_, found, mend), = bad("peer program")
    assert found.endswith(f"{other} is not executable") and mend == f"chmod 755 {other}"
    subprocess.run(mend, shell=True, check=True)
    (_, found, mend), = bad("peer program")
    assert found.endswith("it is run by /nowhere/python3, which is missing") and mend.startswith("install glupy anew")


def test_glusterd(bad, trusted):
    volume = trusted / "glusterd/vols/data"
    volume.mkdir(parents=True)
    assert bad("glusterd") == [("glusterd", "does not run, and there are volumes: data", "systemctl start glusterd")]


def test_volfiles(bad, trusted, write):
    volume = trusted / "glusterd/vols/data"
    volume.mkdir(parents=True)
    (volume / "data.vol").write_text("volume a\n  type features/glupy\n  option module missing\nend-volume\n"
                                     "volume b\n  type user/negative_lookup\n  subvolumes a\nend-volume\n"
                                     "volume c\n  type features/locks\n  subvolumes b\nend-volume\n")
    (_, found, mend), = bad("volfile")
    assert found.startswith(f"{volume}/data.vol: a would not start again: no module missing: looked for missing.py")
    assert mend == "glupy install missing.py"
    write(GOOD, "etc/missing.py")
    assert bad("volfile") == []


def test_process_with_failures(bad, write, trusted):
    write(BAD, "own/failing.py")
    with Mount([layer("top", "features/glupy", module="failing")], folder=trusted / "own",
               expected=("unlink", "UNLINK")) as mount:
        assert bad("process") == []
        (mount.path / "file").touch()
        with pytest.raises(OSError):
            (mount.path / "file").unlink()
        (what, found, mend), = bad("process")
    assert what == f"process {mount.pid}" and mend == f"less +G {mount.log}"
    assert f"{mount.log} has 1 failures of translators; the last, " in found and "unlink of '/file' failed" in found


def test_processes_that_may_not_be_seen(write):
    with Running(write(GOOD, "good.py")):
        done = glupy("doctor", user=65534, group=65534, extra_groups=[])
    assert "of GlusterFS's are another user's and were not looked at; root may" in done.stdout


def test_mount_without_process(bad, write):
    with Running(write(GOOD, "good.py")) as run:
        os.kill(run.process.pid, signal.SIGSTOP)  # it must not clear away before it was looked at
        os.kill(run.announced["processes"][0], signal.SIGKILL)
        found = [each for each in bad("mount") if str(run.path) in each[1]]
        os.kill(run.process.pid, signal.SIGCONT)
        run.finish()
    assert found == [("mount", f"{run.path} has no process any more", f"umount -l {run.path}")]


def test_what_a_killed_run_has_left(bad, write):
    with Running(write(GOOD, "good.py")) as run:
        run.end(signal.SIGKILL)
    left = run.directory.parent
    assert bad("run") == [("run", f"{left} was left by a `glupy run` that was killed",
                           f"take out what you need, then rm -r {left}")]
    session.sweep()
    assert bad("run") == []


def test_what_a_killed_install_has_left(bad, trusted):
    (trusted / "etc/.good.abc").mkdir()
    assert bad() == [("folder", f"{trusted}/etc/.good.abc was left by a `glupy install` that was killed",
                      f"rm -r {trusted}/etc/.good.abc")]
