"""The shape of a statement: its text without literals, its fingerprint, its verb and the names in it.

No grammar is needed for soundness: whoever asks which relations a text may touch takes every identifier in it,
so a construct nobody thought of can add a name too many, never lose one. Where even the reading of literals is in
doubt (`opaque`), the words inside the literals count as identifiers, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from steinmetz.sql.facts import Verb

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
  | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'
      | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
  | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
  | (?P<bind>__\[POSTCOMPILE_\w+\] | \$\d+ | %\(\w+\)s | %s | (?<!:):(?!:)[^\W\d]\w* | \?\d* | @\w+)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<sign>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD = re.compile(r"[^\W\d][\w$]*")
_LIST = re.compile(r"\((\?(?:::\w+)?)(?:, \?(?:::\w+)?)+\)")
_ROWS = re.compile(r"(\([^()]*\))(?:, \1)+")
_SPACED = frozenset(
    {"in", "values", "as", "and", "or", "not", "where", "on", "select", "from", "join", "by", "then", "when",
     "else", "over", "using", "with", "exists", "any", "all", "filter", "lateral", "union", "except", "set",
     "intersect", "having", "between", "like", "is", "limit", "offset", "conflict", "key", "materialized"}
)  # fmt: skip
_TIGHT_BEFORE = frozenset({",", ")", ";", ".", "::", "]", "["})
_TIGHT_AFTER = frozenset({"(", ".", "::", "["})

_HEADS = {
    "select": Verb.SELECT, "values": Verb.SELECT, "table": Verb.SELECT,
    "insert": Verb.INSERT, "replace": Verb.INSERT,
    "update": Verb.UPDATE, "merge": Verb.UPDATE, "refresh": Verb.UPDATE,
    "delete": Verb.DELETE, "truncate": Verb.DELETE,
    "create": Verb.DDL, "alter": Verb.DDL, "drop": Verb.DDL, "comment": Verb.DDL, "grant": Verb.DDL,
    "revoke": Verb.DDL, "reindex": Verb.DDL, "attach": Verb.DDL, "detach": Verb.DDL, "import": Verb.DDL,
    "begin": Verb.TRANSACTION, "start": Verb.TRANSACTION, "commit": Verb.TRANSACTION, "end": Verb.TRANSACTION,
    "rollback": Verb.TRANSACTION, "abort": Verb.TRANSACTION, "savepoint": Verb.TRANSACTION,
    "release": Verb.TRANSACTION,
}  # fmt: skip
_WRITING = {"insert": Verb.INSERT, "update": Verb.UPDATE, "delete": Verb.DELETE, "merge": Verb.UPDATE}
_BEFORE_A_RELATION = frozenset({"from", "join", "into", "update", "table", "only", "using", "truncate", "copy"})
_NEVER_A_RELATION = frozenset({"select", "lateral", "only", "table", "set", "values", "if", "unnest", "rows"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What the text alone tells of a statement.

    ``identifiers`` are the words outside literals, folded to lower case unless they were quoted; ``called`` those
    that a parenthesis follows; ``targets`` those that stand where a relation does (after FROM, JOIN, INTO...).
    ``head`` is the first word. ``several`` says that more than one statement was sent at once.
    """

    fingerprint: str
    text: str
    verb: Verb
    head: str
    identifiers: frozenset[str]
    called: frozenset[str]
    targets: frozenset[str]
    opaque: bool
    several: bool


def shape_of(statement: str) -> Shape:
    """Read a statement once; about 1 µs a token, so its result is to be remembered."""
    opaque = False
    several = False
    ended = False
    texts: list[str] = []
    words: list[tuple[str, int]] = []  # (word, depth of parentheses); quoted names never count as keywords
    identifiers: set[str] = set()
    called: set[str] = set()
    targets: set[str] = set()
    depth = 0
    last_name = last_word = introduced_by = target = ""
    for kind, token in _tokens(statement):
        if kind == "space":
            # PostgreSQL nests comments, SQL does not: the end of this one is in doubt.
            opaque = opaque or "/*" in token[2:]
            continue
        several = several or ended
        if kind == "string":
            # With standard_conforming_strings off, a backslash may escape the quote that seems to end this.
            opaque = opaque or ("\\" in token and token[0] not in "eE$") or token[0] in "uU"
            _append(texts, "?")
        elif kind in ("bind", "number"):
            _append(texts, "?")
        elif kind in ("word", "quoted"):
            name = token.lower() if kind == "word" else token[1:-1].replace('""', '"')
            identifiers.add(name)
            if last_word in _BEFORE_A_RELATION and name not in _NEVER_A_RELATION:
                introduced_by = last_word
                target = name
                targets.add(name)
            elif last_word == "." and target:
                targets.discard(target)  # it was the schema's name
                target = name
                targets.add(name)
            else:
                target = ""
            last_name = name
            last_word = name if kind == "word" else ""
            if kind == "word":
                words.append((name, depth))
            _append(texts, token)
            continue
        else:
            if token == "(":
                depth += 1
                if last_name:
                    called.add(last_name)
                if target and introduced_by != "into":
                    targets.discard(target)  # a function
            elif token == ")":
                depth -= 1
            elif token == ";":
                ended = True
            elif token in "'\"`":
                opaque = True  # an unfinished literal
            _append(texts, token)
            last_word = "." if token == "." else ""
            if token != ".":
                last_name = target = ""
            continue
        last_name = last_word = target = ""
    if '&"' in statement:
        opaque = True  # U&"d\0061ta" names a relation in escapes
    if opaque:
        identifiers.update(word.lower() for word in _WORD.findall(statement))
    text = _ROWS.sub(r"\1", _LIST.sub(r"(\1)", "".join(texts))).rstrip("; ")
    head = words[0][0] if words else ""
    return Shape(
        fingerprint=hashlib.blake2b(text.lower().encode(), digest_size=8).hexdigest(),
        text=text,
        verb=_verb(head, words),
        head=head,
        identifiers=frozenset(identifiers),
        called=frozenset(called),
        targets=frozenset(targets),
        opaque=opaque,
        several=several,
    )


def _tokens(statement: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(statement):
        kind = match.lastgroup or "sign"
        yield ("string" if kind == "tag" else kind), match[0]


def _append(texts: list[str], token: str) -> None:
    if not texts or token in _TIGHT_BEFORE or texts[-1] in _TIGHT_AFTER:
        texts.append(token)
        return
    call = token == "(" and (texts[-1][-1].isalnum() or texts[-1][-1] in '_"') and texts[-1].lower() not in _SPACED
    if not call:
        texts.append(" ")
    texts.append(token)


def _verb(head: str, words: list[tuple[str, int]]) -> Verb:
    """The verb by effect: a SELECT whose CTE deletes is a delete; EXPLAIN ANALYZE does what it explains."""
    if head == "explain":
        names = [word for word, _ in words]
        if "analyze" not in names[:6] and "analyse" not in names[:6]:
            return Verb.OTHER
        start = next((i for i, name in enumerate(names) if name in _HEADS or name == "with"), 0)
        return _verb(names[start], words[start:]) if start else Verb.OTHER
    if head == "copy":
        return Verb.INSERT if ("from", 0) in words else Verb.SELECT
    if head == "prepare":
        return Verb.TRANSACTION if len(words) > 1 and words[1][0] == "transaction" else Verb.OTHER
    main = head
    if head == "with":
        main = next((w for w, depth in words if depth == 0 and w in ("select", "values", *_WRITING)), "select")
    verb = _HEADS.get(main, Verb.OTHER)
    if verb is not Verb.SELECT:
        return verb
    previous = ""
    for word, depth in words:
        if word in _WRITING and previous not in ("for", "key"):  # FOR UPDATE, FOR NO KEY UPDATE only lock
            return _WRITING[word]
        if word == "into" and depth == 0:
            return Verb.DDL  # SELECT ... INTO makes a table
        previous = word
    return verb
