"""Read the fop table (``src/core/values/fops.table``): the one description that everything per-fop is generated from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kinds import BY_CTYPE, Kind

TABLE = Path(__file__).resolve().parent.parent / "src" / "core" / "values" / "fops.table"

_ENTRY = re.compile(r"(\w+)\s*(?:\[(\w+)\])?\s*\(([^()]*)\)\s*->\s*\(([^()]*)\)\s*", re.S)
_PARAM = re.compile(r"(?P<type>.*?)(?P<name>\w+)(?P<mark>[?~]?)$", re.S)


class TableError(ValueError):
    """The table does not read; the text names the entry."""


@dataclass(frozen=True)
class Param:
    """One parameter of a C prototype."""

    ctype: str
    name: str
    nullable: bool
    inodeless: bool

    @property
    def declaration(self) -> str:
        """The parameter as C declares it."""
        return f"{self.ctype}{'' if self.ctype.endswith('*') else ' '}{self.name}"


@dataclass(frozen=True)
class Field:
    """One value as Python sees it: a parameter, or the three that make up a payload."""

    name: str
    kind: Kind
    params: tuple[Param, ...]

    @property
    def passed(self) -> str:
        """C type of the value as the prototype has it."""
        return self.params[0].ctype if len(self.params) == 1 else self.kind.passed

    @property
    def nullable(self) -> bool:
        """May an argument be a C NULL?"""
        return self.params[0].nullable

    @property
    def inodeless(self) -> bool:
        """May a loc come without an inode?"""
        return self.params[0].inodeless

    def fit(self, what: str) -> str:
        """The C expression that is 0 if a wind may go out with an object as this argument; empty where any may."""
        if self.nullable:
            return ""
        if self.inodeless:
            return f"glupy_fit_not_none({what})"
        if "fit" in self.kind.straight:
            return f"{self.kind.call('fit')}({what})"
        return f"glupy_fit(&glupy_kind_{self.kind.name}, {what})"

    @property
    def held(self) -> str:
        """C type that owns the value."""
        return self.kind.held


@dataclass(frozen=True)
class Fop:
    """One file operation."""

    name: str
    enum: str
    params: tuple[Param, ...]
    cbk_params: tuple[Param, ...]
    args: tuple[Field, ...]
    reply: tuple[Field, ...]

    @property
    def reply_type(self) -> str:
        """Name of the Python reply type: copy_file_range -> CopyFileRangeReply."""
        return "".join(part.capitalize() for part in self.name.split("_")) + "Reply"

    @property
    def measured(self) -> bool:
        """Whether the reply has a field that op_ret tells the length of."""
        return any(field.kind.name in {"payload", "string", "dirents", "locklist"} for field in self.reply)

    @property
    def partial(self) -> bool:
        """Whether the reply has a field that is only looked at where op_ret says that it is there."""
        return any(field.kind.name in {"payload", "dirents", "locklist"} for field in self.reply)

    @property
    def linked(self) -> bool:
        """Whether a successful reply tells of an inode and, next to it, what it is: callers link the one by the other's gfid."""
        return any(inode.kind.name == "inode" and buf.kind.name == "iatt" for inode, buf in zip(self.reply, self.reply[1:]))

    @property
    def pointed(self) -> bool:
        """Whether the reply has a pointer that callers of a successful fop follow without looking."""
        return any(field.kind.name in {"inode", "fd", "dict"} and field.name != "xdata" for field in self.reply)


def _params(fop: str, text: str) -> tuple[Param, ...]:
    params = []
    for chunk in " ".join(text.split()).split(","):
        match = _PARAM.match(chunk.strip())
        if not match:
            raise TableError(f"{fop}: cannot read the parameter {chunk.strip()!r}")
        nullable = match["mark"] == "?" or match["name"] == "xdata"
        params.append(Param(match["type"].strip(), match["name"], nullable, match["mark"] == "~"))
    return tuple(params)


def _fields(fop: str, params: tuple[Param, ...]) -> tuple[Field, ...]:
    by_name = {param.name: param for param in params}
    fields = []
    for param in params:
        if param.ctype == "struct iovec *":
            try:
                group = (param, by_name["count"], by_name["iobref"])
            except KeyError:
                raise TableError(f"{fop}: a struct iovec needs `count` and `iobref` beside it") from None
            fields.append(Field(param.name, BY_CTYPE["payload"], group))
        elif param.name == "count" or param.ctype == "struct iobref *":
            continue
        elif param.ctype in BY_CTYPE:
            fields.append(Field(param.name, BY_CTYPE[param.ctype], (param,)))
        else:
            raise TableError(f"{fop}: no kind is known for the C type {param.ctype!r} of {param.name}; add it to tools/kinds.py")
    return tuple(fields)


def parse(text: str) -> list[Fop]:
    """The entries of a table's text, in its order. Raises TableError, which names the entry."""
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()
    fops: list[Fop] = []
    position = 0
    while position < len(body):
        match = _ENTRY.match(body, position)
        if not match:
            near = body[position:].splitlines()[0]
            raise TableError(f"cannot read the entry that starts {near!r}")
        name, enum, args, reply = match.groups()
        params, cbk_params = _params(name, args), _params(name, reply)
        fops.append(Fop(name, enum or name.upper(), params, cbk_params, _fields(name, params), _fields(name, cbk_params)))
        position = match.end()
    names = [fop.name for fop in fops]
    for name in names:
        if names.count(name) > 1:
            raise TableError(f"{name}: two entries")
    return fops


def load(path: Path = TABLE) -> list[Fop]:
    """Read the table."""
    return parse(path.read_text(encoding="utf-8"))
