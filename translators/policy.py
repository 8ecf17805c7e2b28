"""Who may do what to which names: rules in a file, of which the first that fits decides.

    volume guarded
        type user/policy
        option file /etc/glusterfs/policy-VOL
        subvolumes brick
    end-volume

The file has a rule a line: a word, then terms with blanks in between. All terms of a rule have to fit.

    # office files are not to be removed at night, but by the group of the backup
    allow  gid=500
    deny   fop=removing  name=*.doc|*.xls  at=22:00-06:00
    deny   client=*HOST:guest*  fop=changing  error=EROFS
    deny   name=*.exe|*.com  fop=create|rename|link|open
    deny   content=MZ        # whatever its name
    record uid=1000-1999  fop=open  name=*.key

allow ends the matter, deny answers with EACCES or error=ENAME, record writes a line into the log and goes on to the next rule.
What no rule fits is allowed. Terms: fop=NAMES or patterns of fops, or reading, opening, changing, changing-data,
changing-metadata, changing-names, removing (unlink, rmdir, rename), all (without fop=); uid=, gid= with numbers and ranges,
where gid= is any of a user's groups; client=PATTERN of what frame.client is on a brick; name=PATTERN of the last part of a
path; path=PATTERN of the whole, where * stands for slashes too; at=22:00-06:00, days=sat|sun by the machine's local time;
content=TEXT or content=0x4d5a, and content=257:ustar for bytes that begin elsewhere; error=ENAME; internal: also what
GlusterFS does by itself (negative pid: heal, rebalance), which no rule touches otherwise. A bar stands between alternatives.

content= is about the first bytes that a file would have after the operation. Those that change them take turns, file by file,
so that it does not matter in which parts and in which order they are written. Without fop= it is about what changes content,
open, readv, rename, link and unlink.

The file is read anew within seconds after it has changed. When it has mistakes the log says so, with the numbers of all lines,
and the rules from before hold; when a graph starts, it is refused. The file has to be root's, and writable by nobody else.

option dry-run on: what would be denied is written into the log only.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import glupy
from glupy import Call, Fd, Frame, IaType, Inode, LoadError, Loc, Option, Translator, fail

JUDGED = glupy.READING | glupy.OPENING | glupy.CHANGING

#: What content= is about, and what of it may change the first bytes of a file.
CONTENT = glupy.CHANGING_DATA | {"open", "readv", "rename", "link", "unlink"}
WRITING = glupy.CHANGING_DATA - {"put"}

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: How far into a file content= may look.
FARTHEST = 4096


class Policy(Translator):
    file = Option(Path, default=None, help="the file with the rules, on each machine on which the translator runs")
    dry_run = Option(bool, default=False, help="deny nothing, and write into the log what would be denied")
    look = Option("time", default="2s", min=1, help="how often to see whether the file has changed")

    def init(self) -> None:
        self.fops = JUDGED
        self.rules = Rules([])
        self.latest: object = None  # what the file was when it was last looked at
        if self.file is None:
            self.log.warning("option file is not given: everything is allowed")
        elif mistakes := self.read_rules():
            raise LoadError(f"option file: {mistakes}")
        self.every(self.look, self.refresh)

    def reconfigured(self, changed: dict[str, Any]) -> None:
        if "file" in changed and (mistakes := self.read_rules()):
            raise ValueError(f"option file: {mistakes}")

    def refresh(self) -> None:
        if self.file is not None and self.latest != signature(self.file):
            mistakes = self.read_rules()
            if mistakes:
                self.log.error("the rules from before hold: %s", mistakes)
            else:
                self.log.info("%s is read anew: %d rules", self.file, len(self.rules.rules))

    def read_rules(self) -> str:
        """Put the file's rules in force; or say why not."""
        if self.file is None:
            self.rules = Rules([])
            return ""
        self.latest = signature(self.file)
        try:
            self.rules = Rules(parsed(trusted_text(self.file)))
        except (OSError, ValueError) as error:
            return f"{self.file}: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
        return ""

    # The data path

    def any_fop(self, frame: Frame, call: Call) -> Any:
        rules = self.rules
        if call.name not in rules.fops:
            return None
        asked = Asked.of(frame, call)
        decided = rules.decide(asked, None)
        if decided is None:
            return self.by_content(rules, asked, frame, call)
        return self.denied(decided, asked)

    async def by_content(self, rules: Rules, asked: Asked, frame: Frame, call: Call) -> Any:
        fd = call.get("fd_out") or call.fd
        inode = fd.inode if fd is not None else call.inode
        if inode is None or call.name not in WRITING:
            head = await self.head(frame, inode, rules.head)
            return self.denied(rules.decide(asked, after(call, head, b"", rules.head)), asked) or call.wind()
        async with inode.lock():  # who changes the first bytes of a file: one after another
            head = await self.head(frame, inode, rules.head)
            source = b""
            if call.name == "copy_file_range":
                size = max(0, min(call["len"], rules.head - call["off_out"]))
                source = await self.head(frame, call["fd_in"].inode, size, call["off_in"])
            failure = self.denied(rules.decide(asked, after(call, head, source, rules.head)), asked)
            return failure or await call.wind().or_error()

    async def head(self, frame: Frame, inode: Inode | None, size: int, offset: int = 0) -> bytes:
        """What a file has there; nothing where that cannot be read."""
        if inode is None or not inode.gfid or not size or inode.ia_type not in (IaType.INVAL, IaType.IFREG):
            return b""
        with frame.as_root():
            reply = await self.child.readv(Fd.of(inode), size, offset, 0).or_error()
        return bytes(reply.data) if reply.op_ret > 0 else b""

    def denied(self, decided: Decision | None, asked: Asked) -> Any:
        """The failure that a decision comes to, if any; the log says what there is to say."""
        if decided is None:
            return None
        for rule in decided.recorded:
            self.log.info("recorded by line %d: %s", rule.line, asked)
        if decided.rule is None or decided.rule.action == "allow":
            return None
        if self.dry_run:
            self.log.info("would be denied by line %d: %s", decided.rule.line, asked)
            return None
        self.log.info("denied by line %d: %s", decided.rule.line, asked)
        return fail(decided.rule.error)


def after(call: Call, head: bytes, source: bytes, size: int) -> bytes:
    """The first bytes of a file when an operation has been done, up to a size."""
    name, get = call.name, call.get
    if name in ("writev", "put"):
        appends = name == "writev" and (call["flags"] | call["fd"].flags) & os.O_APPEND
        return over(head, len(head) if appends else get("offset"), bytes(call["vector"].part(0, size)), size)
    if name in ("truncate", "ftruncate"):
        return head[:get("offset")].ljust(min(get("offset"), size), b"\0")
    if name == "copy_file_range":
        return over(head, get("off_out"), source, size)
    if name in ("discard", "zerofill"):
        zeros = bytes(min(get("len"), FARTHEST))
        new = over(head, get("offset"), zeros, size)
        return new if name == "zerofill" else new[:len(head)]
    if name == "fallocate" and not get("keep_size"):
        return head.ljust(min(get("offset") + get("len"), size), b"\0")
    return head


def over(head: bytes, offset: int, data: bytes, size: int) -> bytes:
    """Bytes with others written over them."""
    if not data:
        return head
    return (head[:offset].ljust(min(offset, size), b"\0") + data + head[offset + len(data):])[:size]


@dataclass(frozen=True)
class Asked:
    """An operation, as far as rules are about it."""

    fops: frozenset[str]
    actor: str
    uid: int
    gids: frozenset[int]
    pid: int
    client: str | None
    names: frozenset[str]
    paths: frozenset[str]

    @classmethod
    def of(cls, frame: Frame, call: Call) -> Asked:
        truncates = call.name == "open" and call["flags"] & os.O_TRUNC
        locs = [value for value in call.args if isinstance(value, Loc)]
        found = {call.path, *(loc.path for loc in locs)}
        if call.inode is not None:
            found.add(call.inode.path())
        paths = frozenset(path for path in found if path)
        names = {path.rpartition("/")[2] for path in paths} | {loc.name for loc in locs if loc.name}
        return cls(
            frozenset((call.name, "truncate") if truncates else (call.name,)), frame.actor, frame.uid,
            frozenset((frame.gid, *frame.groups)), frame.pid, frame.client,
            frozenset(name for name in names if name and not name.startswith("<gfid:")), paths)

    def __str__(self) -> str:
        paths = ", ".join(sorted(self.paths)) or "what has no path"
        return (f"{' and '.join(sorted(self.fops))} of {paths} by uid {self.uid}, "
                f"pid {self.pid}, client {self.client}")


@dataclass(frozen=True)
class Rule:
    line: int
    action: str
    fop: frozenset[str]
    uid: tuple[range, ...] = ()
    gid: tuple[range, ...] = ()
    client: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    at: tuple[int, int] | None = None
    days: tuple[int, ...] = ()
    content: tuple[int, bytes] | None = None
    error: int = errno.EACCES
    internal: bool = False

    def fits(self, asked: Asked) -> bool:
        """Whether all terms but content= fit."""
        return bool(
            asked.fops & self.fop and (self.internal or asked.actor in ("user", "brick"))
            and (not self.uid or any(asked.uid in each for each in self.uid))
            and (not self.gid or any(gid in each for each in self.gid for gid in asked.gids))
            and (not self.client or any_fits(self.client, [asked.client or ""]))
            and (not self.name or any_fits(self.name, asked.names)) and (not self.path or any_fits(self.path, asked.paths))
            and (not (self.at or self.days) or self.is_time())
        )

    def is_time(self) -> bool:
        now = time.localtime(time.time())
        if self.days and now.tm_wday not in self.days:
            return False
        begin, end = self.at or (0, 24 * 60)
        minute = now.tm_hour * 60 + now.tm_min
        return begin <= minute < end if begin < end else minute >= begin or minute < end

    def has(self, head: bytes) -> bool:
        return self.content is None or head[self.content[0]:].startswith(self.content[1])


def any_fits(patterns: tuple[str, ...], texts: Any) -> bool:
    return any(fnmatchcase(text, pattern) for text in texts for pattern in patterns)


@dataclass(frozen=True)
class Decision:
    rule: Rule | None
    recorded: tuple[Rule, ...]


class Rules:
    """Those of a file."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.fops: frozenset[str] = frozenset().union(*(rule.fop for rule in rules))
        if "truncate" in self.fops:
            self.fops |= {"open"}
        self.head = max((rule.content[0] + len(rule.content[1]) for rule in rules if rule.content), default=0)

    def decide(self, asked: Asked, head: bytes | None) -> Decision | None:
        """What the rules say; None: that depends on the content."""
        recorded: list[Rule] = []
        for rule in self.rules:
            if not rule.fits(asked):
                continue
            if rule.content and head is None:
                return None
            if not rule.has(head or b""):
                continue
            if rule.action != "record":
                return Decision(rule, tuple(recorded))
            recorded.append(rule)
        return Decision(None, tuple(recorded))


# The file


def signature(file: Path) -> object:
    """Another one whenever the file may be another one."""
    try:
        found = os.stat(file)
    except OSError as error:
        return error.errno
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_uid, found.st_mode


def trusted_text(file: Path) -> str:
    """What the file says. Raises OSError, and ValueError where somebody else could have written it."""
    with open(file, encoding="utf-8", errors="surrogateescape") as opened:
        found = os.fstat(opened.fileno())
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError("others than root can write to it: chown root, chmod go-w")
        return opened.read()


def parsed(text: str) -> list[Rule]:
    """The rules of a file. Raises ValueError, which has all mistakes with their lines."""
    rules, mistakes = [], []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.sub(r"(^|\s)#.*", "", line).split()
        try:
            if words:
                rules.append(one_rule(number, words))
        except ValueError as error:
            mistakes.append(f"line {number}: {error}")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return rules


def one_rule(line: int, words: list[str]) -> Rule:
    action, *terms = words
    if action not in ("allow", "deny", "record"):
        raise ValueError(f"a rule begins with allow, deny or record, not {action}")
    given = glupy.terms_named(terms, TERMS)
    if "error" in given and action != "deny":
        raise ValueError("error= goes with deny")
    if "content" in given and not given.setdefault("fop", CONTENT) <= CONTENT:
        raise ValueError(f"content= goes with these fops: {', '.join(sorted(CONTENT))}")
    given.setdefault("fop", JUDGED)
    return Rule(line, action, **given)


def several(read: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(read(word) for word in text.split("|"))


def numbers(text: str) -> range:
    match = re.fullmatch("([0-9]{1,10})(?:-([0-9]{1,10}))?", text)
    if not match or int(match[2] or match[1]) < int(match[1]):
        raise ValueError(f"expected a number, or a range such as 1000-1999, not {text or 'nothing'}")
    return range(int(match[1]), int(match[2] or match[1]) + 1)


def daytime(text: str) -> tuple[int, int]:
    match = re.fullmatch("([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not match or match[0][:5] == match[0][6:]:
        raise ValueError(f"expected times of the day such as 22:00-06:00, not {text}")
    return int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])


def day(text: str) -> int:
    if text not in DAYS:
        raise ValueError(f"{text or 'nothing'} is none of {', '.join(DAYS)}")
    return DAYS.index(text)


def first_bytes(text: str) -> tuple[int, bytes]:
    match = re.fullmatch("(?:([0-9]{1,4}):)?(0x((?:[0-9a-fA-F]{2})+)|(?!0x).+)", text)
    if not match:
        raise ValueError(f"expected a text such as %PDF, or bytes such as 0x4d5a, not {text}")
    offset, data = int(match[1] or 0), bytes.fromhex(match[3]) if match[3] else os.fsencode(match[2])
    if offset + len(data) > FARTHEST:
        raise ValueError(f"it goes farther than the first {FARTHEST} bytes")
    return offset, data


TERMS: dict[str, Callable[[str], Any] | None] = {
    "fop": lambda text: glupy.fops_named(text, JUDGED), "uid": several(numbers), "gid": several(numbers),
    "client": several(str), "name": several(str), "path": several(str), "at": daytime, "days": several(day),
    "content": first_bytes, "error": glupy.errno_named, "internal": None,
}
