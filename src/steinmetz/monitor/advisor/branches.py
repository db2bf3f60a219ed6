"""The boolean form of a condition: what holds together, and the alternatives of OR."""

from __future__ import annotations

from itertools import islice, product

from sqlglot import exp

MAX_BRANCHES = 8
"""Alternatives of OR that are told apart in one statement."""


def conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.left), *conjuncts(condition.right)]
    return [condition]


def alternatives(condition: exp.Expr) -> list[list[exp.Expr]]:
    """The condition as an OR of ANDs, as far as that stays small; else what certainly holds."""
    fixed: list[exp.Expr] = []
    choices: list[list[list[exp.Expr]]] = []
    for part in conjuncts(condition):
        if isinstance(part, exp.Or):
            choices.append([each for side in _disjuncts(part) for each in alternatives(side)])
        else:
            fixed.append(part)
    count = 1
    usable = []
    for choice in choices:
        if count * len(choice) <= MAX_BRANCHES:
            usable.append(choice)
            count *= len(choice)
    return [
        [*fixed, *(part for alternative in picked for part in alternative)]
        for picked in islice(product(*usable), MAX_BRANCHES)
    ]


def _disjuncts(condition: exp.Expr) -> list[exp.Expr]:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.Or):
        return [*_disjuncts(condition.left), *_disjuncts(condition.right)]
    return [condition]
