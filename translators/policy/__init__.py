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

from pathlib import Path
from typing import Any

from glupy import Call, Fd, Frame, IaType, Inode, LoadError, Option, Translator, fail

from .asked import JUDGED, Asked
from .content import WRITING, after
from .file import signature, trusted_text
from .rules import Decision, Rules
from .terms import parsed


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
