#!/usr/bin/python3
"""Write GlusterFS's structures for ctypes: ``structs.py PREPROCESSED OUTPUT``.

What a structure has and where differs from one GlusterFS series to the next, and with the macros that the headers are
read with. So the classes of ``gluster.glupy`` are not written by hand: this reads the declarations out of the headers as
the compiler's preprocessor leaves them (src/build/structs.c names the headers) and writes the ctypes classes for the
structures below, and for all that they contain. What they only point to is declared without fields.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: C name to Python name: the first glupy's where it had one, else GlusterFS's typedef.
WANTED = {
    "struct list_head": "list_head", "struct _call_frame": "call_frame_t", "struct _call_stack": "call_stack_t",
    "struct call_pool": "call_pool_t", "struct _xlator": "xlator_t", "struct xlator_list": "xlator_list_t",
    "struct xlator_fops": "xlator_fops", "struct xlator_cbks": "xlator_cbks", "struct _loc": "loc_t",
    "struct _inode": "inode_t", "struct _inode_table": "inode_table_t", "struct _inode_ctx": "inode_ctx",
    "struct _dentry": "dentry_t", "struct _fd": "fd_t", "struct _fd_ctx": "fd_ctx", "struct fd_lk_ctx": "fd_lk_ctx",
    "struct iatt": "iatt_t", "ia_prot_t": "ia_prot_t", "struct _dict": "dict_t", "struct _data": "data_t",
    "struct _data_pair": "data_pair_t", "struct iovec": "iovec_t", "struct iobref": "iobref_t",
    "struct iobuf": "iobuf_t", "struct _gf_dirent": "gf_dirent_t", "struct statvfs": "statvfs_t",
    "struct gf_flock": "gf_flock_t", "struct gf_lease": "gf_lease_t", "gf_lkowner_t": "gf_lkowner_t",
    "lock_migration_info_t": "lock_migration_info_t", "struct _glusterfs_graph": "glusterfs_graph_t",
    "struct _client": "client_t", "struct mem_pool": "mem_pool",
    "struct _glusterfs_ctx": "glusterfs_ctx_t", "struct iobuf_pool": "iobuf_pool",
}

#: Enumerations whose constants are written, by the name of one of them.
CONSTANTS = ("IA_IFREG", "GF_FOP_LOOKUP", "GF_EVENT_CHILD_UP", "ENTRYLK_LOCK", "ENTRYLK_RDLCK", "GF_XATTROP_ADD_ARRAY",
             "GF_SEEK_DATA", "GF_LK_F_RDLCK", "GF_LEASE_RDLK", "GF_RD_LEASE", "GF_LOG_ERROR",
             "gf_common_mt_char")

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_]\w*|\d[\w.]*|<<|>>|[^\s\w]')
_IGNORED = {"const", "volatile", "restrict", "__restrict", "__restrict__", "inline", "__inline", "__inline__", "static",
            "extern", "register", "__extension__", "_Noreturn", "__const", "__volatile__", "_Thread_local", "__signed__"}
_WORDS = {"void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "_Bool", "__int128"}
_SCALARS = {
    "_Bool": "c_bool", "char": "c_char", "signed char": "c_byte", "unsigned char": "c_ubyte", "short": "c_short",
    "unsigned short": "c_ushort", "int": "c_int", "unsigned int": "c_uint", "long": "c_long",
    "unsigned long": "c_ulong", "long long": "c_longlong", "unsigned long long": "c_ulonglong", "float": "c_float",
    "double": "c_double", "long double": "c_longdouble",
}


class Unreadable(Exception):
    """A declaration that this does not understand; only those that are needed have to be."""


@dataclass(frozen=True)
class Scalar:
    """A number; `name` is the ctypes class."""

    name: str


@dataclass(frozen=True)
class Void:
    """void, and functions."""


@dataclass(frozen=True)
class Pointer:
    to: object


@dataclass(frozen=True)
class Array:
    of: object
    length: tuple[str, ...]


@dataclass(frozen=True)
class Compound:
    """A structure or union, by its key in Headers.compounds."""

    key: str


@dataclass
class Body:
    """What a structure or union has."""

    union: bool
    fields: list[tuple[str, object, tuple[str, ...] | None]] = field(default_factory=list)


def _normal(words: list[str]) -> str:
    """`unsigned long int` and its like as one of _SCALARS' keys."""
    unsigned = "unsigned" in words
    longs = words.count("long")
    if "double" in words or "float" in words or "_Bool" in words or "void" in words:
        return " ".join(words)
    if "char" in words:
        return "unsigned char" if unsigned else "signed char" if "signed" in words else "char"
    base = "short" if "short" in words else "long long" if longs == 2 else "long" if longs else "int"
    return f"unsigned {base}" if unsigned else base


class Headers:
    """The types that a preprocessed source declares."""

    def __init__(self, text: str) -> None:
        self.typedefs: dict[str, object] = {}
        self.compounds: dict[str, Body] = {}
        self.enums: list[dict[str, int]] = []
        self.constants: dict[str, int] = {}
        self.unnamed = 0
        lines = (line for line in text.splitlines() if not line.startswith("#"))
        for declaration in _declarations(_without_attributes(_TOKEN.findall("\n".join(lines)))):
            try:
                self._declare(declaration)
            except (Unreadable, IndexError):
                continue

    def _declare(self, tokens: list[str]) -> None:
        typedef = tokens[0] == "typedef"
        base, at = self._specifiers(tokens, 1 if typedef else 0)
        if not typedef:
            return
        for name, kind, _ in self._declarators(tokens, at, base):
            if name:
                self.typedefs[name] = kind

    def _specifiers(self, tokens: list[str], at: int) -> tuple[object, int]:
        words: list[str] = []
        found: object | None = None
        while at < len(tokens):
            token = tokens[at]
            if token in _IGNORED:
                at += 1
            elif token in ("struct", "union"):
                found, at = self._compound(tokens, at)
            elif token == "enum":
                found, at = self._enum(tokens, at)
            elif token in _WORDS:
                words.append(token)
                at += 1
            elif found is None and not words and token in self.typedefs:
                found = self.typedefs[token]
                at += 1
            else:
                break
        if words:
            normal = _normal(words)
            found = Void() if normal == "void" else Scalar(_SCALARS[normal]) if normal in _SCALARS else None
        if found is None:
            raise Unreadable(" ".join(tokens[:at + 1]))
        return found, at

    def _compound(self, tokens: list[str], at: int) -> tuple[object, int]:
        union = tokens[at] == "union"
        at += 1
        if tokens[at] != "{":
            key = f"{'union' if union else 'struct'} {tokens[at]}"
            at += 1
        else:
            self.unnamed += 1
            key = f"#{self.unnamed}"
        if at < len(tokens) and tokens[at] == "{":
            end = _closing(tokens, at)
            self.compounds[key] = Body(union)  # it may point to itself
            for member in _split(tokens[at + 1:end], ";"):
                base, start = self._specifiers(member, 0)
                self.compounds[key].fields += self._declarators(member, start, base)
            at = end + 1
        return Compound(key), at

    def _enum(self, tokens: list[str], at: int) -> tuple[object, int]:
        at += 1
        if tokens[at] != "{":
            at += 1
        if at < len(tokens) and tokens[at] == "{":
            end = _closing(tokens, at)
            values: dict[str, int] = {}
            following = 0
            for entry in _split(tokens[at + 1:end], ","):
                if len(entry) > 1:
                    following = self.number(tuple(entry[2:]))
                values[entry[0]] = self.constants[entry[0]] = following
                following += 1
            self.enums.append(values)
            at = end + 1
        return Scalar("c_uint"), at

    def _declarators(self, tokens: list[str], at: int,
                     base: object) -> Iterator[tuple[str, object, tuple[str, ...] | None]]:
        if at == len(tokens):  # an anonymous structure in a structure
            yield "", base, None
        for part in _split(tokens[at:], ","):
            yield self._declarator(part, base)

    def _declarator(self, tokens: list[str], base: object) -> tuple[str, object, tuple[str, ...] | None]:
        at, kind = 0, base
        while tokens[at] == "*" or tokens[at] in _IGNORED:
            kind = Pointer(kind) if tokens[at] == "*" else kind
            at += 1
        if tokens[at] == "(":  # a pointer to a function
            end = _closing(tokens, at)
            inner = [token for token in tokens[at + 1:end] if token not in _IGNORED]
            if inner[:1] != ["*"] or "(" in inner:
                raise Unreadable(" ".join(tokens))
            stars = len(inner) - len([token for token in inner if token != "*"])
            kind = Pointer(Void())
            for _ in range(stars - 1):
                kind = Pointer(kind)
            return self._arrays(inner, stars, kind)
        return self._arrays(tokens, at, kind)

    def _arrays(self, tokens: list[str], at: int, kind: object) -> tuple[str, object, tuple[str, ...] | None]:
        name = tokens[at] if at < len(tokens) and tokens[at] != ":" else ""
        at += bool(name)
        lengths = []
        while at < len(tokens) and tokens[at] == "[":
            end = _closing(tokens, at)
            lengths.append(tuple(tokens[at + 1:end]))
            at = end + 1
        for length in reversed(lengths):
            kind = Array(kind, length)
        if at < len(tokens) and tokens[at] == "(":
            kind, at = Void(), len(tokens)
        bits = tuple(tokens[at + 1:]) if at < len(tokens) and tokens[at] == ":" else None
        return name, kind, bits

    def number(self, tokens: tuple[str, ...]) -> int:
        """The value of a constant expression."""
        words: list[str] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token == "sizeof":
                end = _closing(list(tokens), at + 1)
                kind, _ = self._specifiers(list(tokens[at + 2:end]), 0)
                if not isinstance(kind, Scalar) or "*" in tokens[at:end]:
                    raise Unreadable(" ".join(tokens))
                words.append(str(ctypes.sizeof(getattr(ctypes, kind.name))))
                at = end
            elif token[0].isdigit():
                bare = token.rstrip("uUlL")
                words.append(str(int(bare, 8) if re.fullmatch("0[0-7]+", bare) else int(bare, 0)))
            elif token in self.constants:
                words.append(str(self.constants[token]))
            elif token in ("(", ")", "+", "-", "*", "<<", ">>", "|", "&", "~"):
                words.append(token)
            elif token == "/":
                words.append("//")
            elif len(token) == 3 and token[0] == "'":
                words.append(str(ord(token[1])))
            else:
                raise Unreadable(" ".join(tokens))
            at += 1
        return int(eval(" ".join(words), {"__builtins__": {}}))


def _closing(tokens: list[str], at: int) -> int:
    """Where the bracket that opens at `at` closes."""
    pairs = {"{": "}", "(": ")", "[": "]"}
    opening, closing, depth = tokens[at], pairs[tokens[at]], 0
    for position in range(at, len(tokens)):
        depth += (tokens[position] == opening) - (tokens[position] == closing)
        if depth == 0:
            return position
    raise Unreadable("a bracket that nothing closes")


def _split(tokens: list[str], separator: str) -> list[list[str]]:
    """Parts between separators that are in no bracket; empty ones left out."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in "([{") - (token in ")]}")
        if token == separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _without_attributes(tokens: list[str]) -> list[str]:
    kept, at = [], 0
    while at < len(tokens):
        if tokens[at] in ("__attribute__", "__attribute", "__asm__", "asm", "_Alignas"):
            at = _closing(tokens, tokens.index("(", at)) + 1
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def _declarations(tokens: list[str]) -> Iterator[list[str]]:
    """The declarations at the top of a source; bodies of functions are left out."""
    start = at = 0
    while at < len(tokens):
        if tokens[at] in "({[":
            body = tokens[at] == "{" and at > start and tokens[at - 1] == ")"
            at = _closing(tokens, at)
            if body:
                start = at + 1
        elif tokens[at] == ";":
            if at > start:
                yield tokens[start:at]
            start = at + 1
        at += 1


class Writer:
    """Writes the classes."""

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.names: dict[str, str] = {}
        self.spelling: dict[str, str] = {}
        self.order: list[str] = []
        self.opaque: dict[str, str] = {}
        for c_name, name in WANTED.items():
            kind = headers.typedefs.get(c_name) or Compound(c_name)
            if not isinstance(kind, Compound) or kind.key not in headers.compounds:
                raise SystemExit(f"structs.py: the headers do not define {c_name}")
            self.names[kind.key], self.spelling[kind.key] = name, c_name
        for c_name, kind in headers.typedefs.items():  # names for what the wanted ones contain
            if isinstance(kind, Compound) and kind.key in headers.compounds:
                self.names.setdefault(kind.key, c_name)
                self.spelling.setdefault(kind.key, c_name)

    def name(self, key: str, fallback: str) -> str:
        if key not in self.names:
            self.names[key] = fallback if key.startswith("#") else key.split()[1]
            if not key.startswith("#"):
                self.spelling[key] = key
        return self.names[key]

    def visit(self, key: str, fallback: str = "") -> None:
        """Put a structure behind all that it contains."""
        if key in self.order:
            return
        name = self.name(key, fallback)
        for number, (member, kind, _) in enumerate(self.headers.compounds[key].fields):
            while isinstance(kind, Array):
                kind = kind.of
            if isinstance(kind, Compound):
                self.visit(kind.key, f"{name}_{member or number}")
        self.order.append(key)

    def pointer(self, kind: object) -> str:
        if isinstance(kind, Void):
            return "c_void_p"
        if kind == Scalar("c_char"):
            return "c_char_p"
        if isinstance(kind, Compound):
            if kind.key in self.order:
                return f"POINTER({self.names[kind.key]})"
            typedef = next((name for name, known in self.headers.typedefs.items() if known == kind), None)
            self.opaque.setdefault(kind.key, typedef or kind.key.split()[-1].replace("#", "unnamed"))
            return f"POINTER({self.opaque[kind.key]})"
        return f"POINTER({self.type(kind)})"

    def type(self, kind: object) -> str:
        if isinstance(kind, Scalar):
            return kind.name
        if isinstance(kind, Pointer):
            return self.pointer(kind.to)
        if isinstance(kind, Array):
            return f"{self.type(kind.of)} * {self.headers.number(kind.length) if kind.length else 0}"
        if isinstance(kind, Compound):
            return self.names[kind.key]
        raise SystemExit(f"structs.py: a member of type {kind}")

    def fields(self, key: str) -> list[str]:
        lines, unnamed = [], []
        for number, (member, kind, bits) in enumerate(self.headers.compounds[key].fields):
            if not member:
                member = f"_u{number}"
                unnamed.append(member)
            width = f", {self.headers.number(bits)}" if bits is not None else ""
            lines.append(f'    ("{member}", {self.type(kind)}{width}),')
        head = [f"{self.names[key]}._anonymous_ = ({', '.join(map(repr, unnamed))},)"] if unnamed else []
        return [*head, f"{self.names[key]}._fields_ = [", *lines, "]", ""]

    def text(self) -> str:
        for key in list(self.spelling):
            if self.names[key] in WANTED.values():
                self.visit(key)
        definitions = [line for key in self.order for line in self.fields(key)]
        lines = ['"""GlusterFS\'s structures and enumerations. Written by tools/structs.py from the installed headers."""', "",
                 "from ctypes import *", "", "from gluster.glupy._pointers import pointer_type", "", ""]
        for name in sorted(set(self.opaque.values())):
            lines += [f"class {name}(Structure):", '    """Declared only: what is in it is nobody\'s business here."""', "", ""]
        for key in self.order:
            base = "Union" if self.headers.compounds[key].union else "Structure"
            lines += [f"class {self.names[key]}({base}):", f'    """{self.spelling.get(key, "unnamed in C")}"""', "", ""]
        lines += [f"pointer_type({self.names[key]})" for key in self.order if key in self.spelling]
        lines += ["", *definitions]
        lines += ["#: By the name of the class: what it is called in C. Unnamed ones are not in it.", "C_NAMES = {"]
        lines += [f'    "{self.names[key]}": "{self.spelling[key]}",' for key in self.order if key in self.spelling]
        lines += ["}", ""]
        for values in self.headers.enums:
            if any(name in values for name in CONSTANTS):
                lines += [f"{name} = {value}" for name, value in values.items()] + [""]
        return "\n".join(lines)


def main() -> int:
    source, output = Path(sys.argv[1]), Path(sys.argv[2])
    text = Writer(Headers(source.read_text(encoding="utf-8"))).text()
    if not output.exists() or output.read_text(encoding="utf-8") != text:
        output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
