"""What one client has of something in each of its namespaces: nearly always one entry, so the dict waits."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Generic, TypeVar, overload

Value = TypeVar("Value")


class ByNamespace(MutableMapping[str, Value], Generic[Value]):
    """A mapping of 64 bytes while it holds one entry, where a dict has 232 (trap T24); bounded by its owner."""

    __slots__ = ("_more", "_name", "_value")

    def __init__(self) -> None:
        self._name: str | None = None
        self._value: Value | None = None
        self._more: dict[str, Value] | None = None

    def __getitem__(self, name: str) -> Value:
        if name == self._name:
            return self._value  # type: ignore[return-value]  # set whenever a name is
        if self._more is None:
            raise KeyError(name)
        return self._more[name]

    @overload  # type: ignore[override]  # Mapping.get takes its arguments by position only
    def get(self, name: str) -> Value | None: ...
    @overload
    def get(self, name: str, default: Value) -> Value: ...
    def get(self, name: str, default: Value | None = None) -> Value | None:
        if name == self._name:
            return self._value
        return default if self._more is None else self._more.get(name, default)

    def __setitem__(self, name: str, value: Value) -> None:
        if name == self._name:
            self._value = value
        elif self._more is not None:
            self._more[name] = value
        elif self._name is None:
            self._name, self._value = name, value
        else:
            self._more = {name: value}

    def __delitem__(self, name: str) -> None:
        if name == self._name:
            self._name = self._value = None
        elif self._more is not None:
            del self._more[name]
            self._more = self._more or None
        else:
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        if self._name is not None:
            yield self._name
        if self._more is not None:
            yield from self._more

    def __len__(self) -> int:
        return (self._name is not None) + len(self._more or ())
