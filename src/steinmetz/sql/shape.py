"""The shape of a statement: its text without literals, its fingerprint, its verb and the names in it.

No grammar is needed for soundness: whoever asks which relations a text may touch takes every identifier in it,
so a construct nobody thought of can add a name too many, never lose one. Where even the reading of literals is in
doubt (`Shape.opaque`), the words inside the literals count as identifiers, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from steinmetz.sql.facts import Verb
from steinmetz.sql.literals import without_values


@dataclass(frozen=True, slots=True)
class Shape:
    """What the text alone tells of a statement.

    ``identifiers`` are the words outside literals, folded to lower case unless they were quoted; ``called`` are
    those that a parenthesis follows, ``targets`` those that stand where a relation must (after FROM, JOIN...).
    ``written`` are the objects of INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY and REFRESH, each with its word.
    ``head`` is the first word; ``several`` says that more than one statement was sent at once.

    ``text`` shows no value: it ends with an ellipsis where a literal may begin whose end is in doubt, and a quoted
    word that stands where a value does is one (SQLite takes ``name = "x"`` for a string if there is no column x).
    """

    fingerprint: str
    text: str
    verb: Verb
    head: str
    identifiers: frozenset[str]
    called: frozenset[str]
    targets: frozenset[str]
    written: frozenset[tuple[str, str]]
    opaque: bool
    several: bool

    @property
    def is_only_planned(self) -> bool:
        """Whether it is an EXPLAIN that certainly runs nothing: PostgreSQL's runs with ANALYZE, and "some pragmas
        run during the SQL compilation stage" of SQLite (https://sqlite.org/pragma.html)."""
        return self.head == "explain" and self.verb is Verb.OTHER and self.identifiers.isdisjoint(_RUNS_EXPLAINED)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a sign, or a value without what it says."""

    kind: str  # "value", "name", "quoted" or "sign"
    text: str
    name: str = ""  # of names, folded
    depth: int = 0  # of parentheses around it

    @property
    def keyword(self) -> str:
        return self.name if self.kind == "name" else ""


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
  | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'
      | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
  | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
  | (?P<bind>__\[POSTCOMPILE_\w+\] | \$\d+ | %\(\w+\)s(?!\w) | %s(?!\w) | (?<!:):(?!:)[^\W\d]\w* | \?\d* | @\w+)
  | (?P<number>\d\w*(?:\.\w*)?(?:(?<=[eE])[+-]\d+)?)
  | (?P<name>[^\W\d][\w$]*)
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
_RUNS_EXPLAINED = frozenset({"analyze", "analyse", "pragma"})
_BEFORE_A_RELATION = frozenset({"from", "join", "table", "using"})
_MODIFIERS = frozenset({"only", "lateral", "table", "concurrently"})
_NO_RELATION = frozenset({"select", "set", "values", "of", "skip", "nowait", "rows", "stdin", "program", "if"})


def shape_of(statement: str) -> Shape:
    """Read a statement once; about 2 µs a token, so its result is to be remembered."""
    tokens, opaque, doubtful = _read(statement)
    identifiers = {token.name for token in tokens if token.name}
    if opaque:
        identifiers.update(word.lower() for word in _WORD.findall(statement))
    words = [token for token in tokens if token.keyword]
    head = words[0].keyword if words else ""
    told, shown = without_values(tokens, head)
    return Shape(
        fingerprint=hashlib.blake2b(_text(told).lower().encode(), digest_size=8).hexdigest(),
        text=_text(shown) if doubtful is None else f"{_text(shown[:doubtful])} …",
        verb=_verb(head, words),
        head=head,
        identifiers=frozenset(identifiers),
        called=frozenset(a.name for a, b in pairwise(tokens) if a.name and b.text == "("),
        targets=frozenset(_targets(tokens)) - _ctes(tokens),
        written=frozenset(_written(tokens)),
        opaque=opaque,
        several=_several(tokens),
    )


def binds_of(statement: str, style: str) -> str | None:
    """The statement with ``$1``, ``$2``... for its parameters, as PREPARE wants them; None if that cannot be said.

    ``style`` is the paramstyle of the driver that ``statement`` was written for.
    """
    if style == "numeric_dollar":
        return statement
    if style not in ("format", "pyformat"):
        return None
    numbers: dict[str, int] = {}
    parts: list[str] = []
    for match in _TOKEN.finditer(statement):
        text = match[0]
        if match.lastgroup == "bind" and text[0] == "%":
            key = text if text != "%s" else f"{len(numbers)}"
            parts.append(f"${numbers.setdefault(key, len(numbers) + 1)}")
        else:
            parts.append(text)
    return "".join(parts).replace("%%", "%")  # wherever it stands, be it within a literal


def _read(statement: str) -> tuple[list[Token], bool, int | None]:
    """The tokens without spaces and comments, whether the reading of literals is in doubt, and from which token on
    the text itself may be the inside of a literal or a comment."""
    tokens: list[Token] = []
    opaque = '&"' in statement  # U&"d\0061ta" names a relation in escapes
    depth = 0
    doubtful: int | None = None
    for match in _TOKEN.finditer(statement):
        kind, text = match.lastgroup, match[0]
        if kind == "space":
            # PostgreSQL nests comments, other engines do not: the end of this one is in doubt.
            if "/*" in text[2:]:
                opaque, doubtful = True, len(tokens) if doubtful is None else doubtful
        elif kind == "name":
            tokens.append(Token("name", text, text.lower(), depth))
        elif kind == "quoted":
            tokens.append(Token("quoted", text, text[1:-1].replace('""', '"'), depth))
        elif kind == "sign":
            depth -= text == ")"
            tokens.append(Token("sign", text, "", depth))
            depth += text == "("
            opaque = opaque or text in "'\"`"  # an unfinished literal
            if doubtful is None and (
                text in "'\"`$\\" or (text == "*" and [each.text for each in tokens[-2:-1]] == ["/"])
            ):
                doubtful = len(tokens) - 1
        elif kind == "bind" and text[0] in ":@":
            # Where the engine has no such binds, it is an array slice or an operator before a name.
            tokens.append(Token("value", "?", text[1:].lower(), depth))
        else:
            if kind in ("string", "tag"):
                # With standard_conforming_strings off, a backslash may escape the quote that seems to end this.
                opaque = opaque or ("\\" in text and text[0] not in "eE$") or text[0] in "uU"
                if doubtful is None and "\\'" in text and text[0] not in "eE$":
                    doubtful = len(tokens)
            tokens.append(Token("value", "?", "", depth))
    return tokens, opaque, doubtful


def _text(tokens: list[Token]) -> str:
    parts: list[str] = []
    previous = Token("sign", "(")
    for token in tokens:
        tight = token.text in _TIGHT_BEFORE or previous.text in _TIGHT_AFTER
        call = token.text == "(" and previous.kind in ("name", "quoted") and previous.keyword not in _SPACED
        if not tight and not call:
            parts.append(" ")
        parts.append(token.text)
        previous = token
    return _ROWS.sub(r"\1", _LIST.sub(r"(\1)", "".join(parts))).rstrip("; ")


def _several(tokens: list[Token]) -> bool:
    texts = [token.text for token in tokens]
    return ";" in texts and any(text != ";" for text in texts[texts.index(";") :])


def _verb(head: str, words: list[Token]) -> Verb:
    """The verb by effect: a SELECT whose CTE deletes is a delete; EXPLAIN ANALYZE does what it explains."""
    names = [word.keyword for word in words]
    if head == "explain":
        heads = (i for i, name in enumerate(names) if name in _HEADS or name == "with")
        start = next((i for i in heads if not words[i].depth), len(words))  # the options stand in parentheses
        if start == len(words) or not {"analyze", "analyse"} & set(names[:start]):
            return Verb.OTHER
        return _verb(names[start], words[start:])
    if head == "copy":
        return Verb.INSERT if any(word.keyword == "from" and not word.depth for word in words) else Verb.SELECT
    if head == "prepare":
        return Verb.TRANSACTION if names[1:2] == ["transaction"] else Verb.OTHER
    main = head
    if head == "with":
        mains = ("select", "values", *_WRITING)
        main = next((word.keyword for word in words if not word.depth and word.keyword in mains), "select")
    verb = _HEADS.get(main, Verb.OTHER)
    if verb is not Verb.SELECT:
        return verb
    previous = ""
    for word in words:
        if word.keyword in _WRITING and previous not in ("for", "key"):  # FOR NO KEY UPDATE only locks
            return _WRITING[word.keyword]
        if word.keyword == "into" and not word.depth:
            return Verb.DDL  # SELECT ... INTO makes a table
        previous = word.keyword
    return verb


def _targets(tokens: list[Token]) -> Iterator[str]:
    """The names that stand where only a relation, a CTE or a function can."""
    queries = [True]  # of the open parentheses: whether a query stands within, and not the arguments of a call
    previous = ""
    for index, token in enumerate(tokens):
        if token.text == "(":
            queries.append(False)
        elif token.text == ")" and len(queries) > 1:
            queries.pop()
        elif token.keyword in _WRITING or token.keyword in ("select", "table"):
            queries[-1] = True
        if (
            token.keyword in _BEFORE_A_RELATION
            and (queries[-1] or token.keyword == "join")  # extract(year FROM x) has no relation
            and previous != "distinct"  # nor has IS DISTINCT FROM x
        ):
            yield from _relations_at(tokens, index + 1)
        previous = token.keyword


def _relations_at(tokens: list[Token], index: int) -> Iterator[str]:
    """The relations of a list such as ``a, s.b AS x, f(1), c``, as far as it is plain."""
    while True:
        name, index = _relation_at(tokens, index)
        if not name or _text_at(tokens, index) == "(":
            return
        yield name
        if index < len(tokens) and tokens[index].keyword == "as":
            index += 1
        if index < len(tokens) and tokens[index].name and _text_at(tokens, index + 1) == ",":
            index += 1
        if _text_at(tokens, index) != ",":
            return
        index += 1


def _text_at(tokens: list[Token], index: int) -> str:
    return tokens[index].text if index < len(tokens) else ""


def _written(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """What is written to, and by which word; the grammar leaves only these places for it."""
    previous = ""
    for index, token in enumerate(tokens):
        word = token.keyword
        act = ""
        if word == "into" and previous in ("insert", "replace", "merge"):
            act = "merge" if previous == "merge" else "insert"
        elif word == "update" and previous not in ("for", "key", "do", "on", "then"):
            act = "update"
        elif word == "from" and previous == "delete":
            act = "delete"
        elif word == "copy" and index == 0 and any(each.keyword == "from" and not each.depth for each in tokens):
            act = "copy"
        elif word == "view" and previous == "materialized":
            act = "refresh"
        elif word == "truncate":
            position = index
            while position == index or _text_at(tokens, position) == ",":
                name, position = _relation_at(tokens, position + 1)
                if name:
                    yield "truncate", name
                position += _text_at(tokens, position) == "*"
        if act:
            name, _ = _relation_at(tokens, index + 1)
            if name:
                yield act, name
        previous = word


def _relation_at(tokens: list[Token], index: int) -> tuple[str, int]:
    """The relation named at ``index``, without its schema, and where its name ends; "" if there is none."""
    while index < len(tokens) and tokens[index].keyword in _MODIFIERS:
        index += 1
    if index >= len(tokens) or not tokens[index].name or tokens[index].keyword in _NO_RELATION:
        return "", index
    while index + 2 < len(tokens) and tokens[index + 1].text == "." and tokens[index + 2].name:
        index += 2
    return tokens[index].name, index + 1


def _ctes(tokens: list[Token]) -> frozenset[str]:
    """The names before AS (: with their column lists or without."""
    if not any(token.keyword == "with" for token in tokens):
        return frozenset()
    names = set()
    for index, token in enumerate(tokens):
        if token.keyword != "as" or index == 0:
            continue
        after = index + 1
        while after < len(tokens) and tokens[after].keyword in ("not", "materialized"):
            after += 1
        if after >= len(tokens) or tokens[after].text != "(":
            continue
        before = index - 1
        if tokens[before].text == ")":
            depth = tokens[before].depth
            while before > 0 and not (tokens[before].text == "(" and tokens[before].depth == depth):
                before -= 1
            before -= 1
        if before >= 0 and tokens[before].name:
            names.add(tokens[before].name)
    return frozenset(names)
