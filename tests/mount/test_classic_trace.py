"""A classic translator reads every field of every structure: what it sees is what stat and getfattr see from outside."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from support.mounts import Mount
from support.volfiles import layer

TYPES = {stat.S_IFREG: 1, stat.S_IFDIR: 2, stat.S_IFLNK: 3, stat.S_IFIFO: 6}


def traced(mount: Mount) -> list[dict[str, Any]]:
    return [json.loads(found) for found in re.findall(r"TRACE (\{.*\})\s*$", mount.text(), re.M)]


def mode_of(prot: dict[str, Any]) -> int:
    mode = prot["suid"] << 11 | prot["sgid"] << 10 | prot["sticky"] << 9
    for shift, who in ((6, "owner"), (3, "group"), (0, "other")):
        mode |= (prot[who]["read"] << 2 | prot[who]["write"] << 1 | prot[who]["exec"]) << shift
    return mode


def check_iatt(iatt: dict[str, Any], path: Path, on_the_brick: Path) -> None:
    seen = os.lstat(path)
    assert bytes.fromhex(iatt["ia_gfid"]) == os.getxattr(on_the_brick, "trusted.gfid", follow_symlinks=False)
    assert iatt["ia_type"] == TYPES[stat.S_IFMT(seen.st_mode)]
    assert mode_of(iatt["ia_prot"]) == stat.S_IMODE(seen.st_mode)
    assert (iatt["ia_nlink"], iatt["ia_uid"], iatt["ia_gid"]) == (seen.st_nlink, seen.st_uid, seen.st_gid)
    assert (iatt["ia_size"], iatt["ia_blocks"]) == (seen.st_size, seen.st_blocks)
    assert iatt["ia_blksize"] == os.lstat(on_the_brick).st_blksize
    for field in ("mtime", "ctime"):
        nanoseconds = iatt[f"ia_{field}"] * 10**9 + iatt[f"ia_{field}_nsec"]
        assert nanoseconds == getattr(seen, f"st_{field}_ns"), field


def test_fields() -> None:
    made_on_the_brick = (r" 0-brick: buf->ia_gfid is null", r"\[fuse-resolve\.c:")
    with Mount([layer("trace", "features/glupy", module_name="classic_trace")], expected=made_on_the_brick) as mount:
        folder = mount.brick / "folder"
        folder.mkdir(0o751)
        os.chown(folder, 12, 34)
        (folder / "file").write_bytes(b"x" * 5000)
        os.chmod(folder / "file", 0o4640)
        os.symlink("file", folder / "link")
        os.mkfifo(folder / "fifo", 0o604)
        for name in ("", "file", "link", "fifo"):
            os.lstat(mount.path / "folder" / name)
        folder_gfid = os.getxattr(folder, "trusted.gfid").hex()
        with open(mount.path / "folder" / "file", "r+b") as file:
            file.write(b"some")
            os.fstat(file.fileno())
        os.statvfs(mount.path)
        os.listdir(mount.path / "folder")
        os.setxattr(mount.path / "folder" / "file", "user.test", b"value")
        assert os.getxattr(mount.path / "folder" / "file", "user.test") == b"value"
        entries = traced(mount)
        me = os.getpid()

        def replies(fop: str) -> list[dict[str, Any]]:
            return [entry for entry in entries if entry.get("cbk") == fop and entry["op_ret"] >= 0]

        def calls(fop: str) -> list[dict[str, Any]]:
            return [entry for entry in entries if entry.get("fop") == fop]

        for name in ("folder", "file", "link", "fifo"):
            path = folder if name == "folder" else folder / name
            # What was made on the brick has no gfid yet: the first lookup fails and is repeated.
            call, reply = next((call, reply) for call in calls("lookup") for reply in replies("lookup")
                               if call["args"][0]["name"] == name and reply["unique"] == call["unique"])
            assert call["args"][0]["path"] == (f"/folder/{name}" if name != "folder" else "/folder")
            assert call["args"][0]["inode"] and call["args"][0]["parent"]
            if name != "folder":
                assert call["args"][0]["pargfid"] == folder_gfid
            inode, buf, _, postparent = reply["values"]
            if name in ("link", "fifo"):  # the file has been written to since
                check_iatt(buf, mount.path / "folder" / name, path)
            assert bytes.fromhex(buf["ia_gfid"]) == os.getxattr(path, "trusted.gfid", follow_symlinks=False)
            assert inode["table"] and inode["ref"] >= 1
            if name != "folder":
                assert postparent["ia_gfid"] == folder_gfid
            assert (call["root"]["pid"], call["root"]["uid"], call["root"]["gid"]) == (me, os.getuid(), os.getgid())
            assert call["root"]["unique"] == call["unique"]
            assert (call["this"]["name"], call["this"]["type"]) == ("trace", "features/glupy")
            assert call["frame"]["root"] and call["frame"]["this"]

        fd, vector, count, offset = calls("writev")[0]["args"][:4]
        assert (count, offset, vector["iov_len"]) == (1, 0, 4) and fd["inode"]
        prebuf, postbuf, _ = replies("writev")[-1]["values"]
        assert (prebuf["ia_size"], postbuf["ia_size"]) == (5000, 5000)
        statvfs = replies("statfs")[-1]["values"][0]
        outside = os.statvfs(mount.path)
        assert (statvfs["f_blocks"], statvfs["f_files"]) == (outside.f_blocks, outside.f_files)
        assert calls("setxattr")[0]["args"][1]["count"] >= 1
        assert calls("getxattr")[-1]["args"][1] == "user.test"
        assert {entry.get("fop") for entry in entries} >= {"lookup", "open", "writev", "flush", "statfs", "opendir"}
