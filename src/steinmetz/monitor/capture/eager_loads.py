"""Relationships that were loaded with their owners and never read: seen by reading along, so for development only.

SQLAlchemy tells nobody when an attribute that is already loaded is read. `EagerLoads.watch` therefore gives each
relationship attribute of the models a descriptor of the same layout that notes the first read of each instance;
the ORM's own loaders, flushes and cascades go around descriptors and do not count. Every object that is loaded
within a scope is held until the scope ends, `INSTANCES` of each at most; then a relationship that is loaded on
three objects or more and was read on none of them is a finding, at the line that ran the query.

What it costs: about a microsecond for each read of a relationship and each loaded object, and the memory of the
objects. What it does not see: objects that a commit expired, and objects read only after their scope has ended.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import InstrumentedAttribute, Mapper
from sqlalchemy.orm.attributes import instance_state

from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.capture.call_site import Trail, places
from steinmetz.sql.scope import Scope, ScopeKind, current_scope

INSTANCES = 1_000
LOADED_FROM = 3
_READ = "steinmetz.read"


class _Watched(InstrumentedAttribute):  # type: ignore[type-arg]
    """An attribute that notes on the instance's state that it was read or set."""

    __slots__ = ()
    inherit_cache = True

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is not None:
            _touched(instance, self.key)
        return super().__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        _touched(instance, self.key)
        super().__set__(instance, value)


def _touched(instance: Any, key: str) -> None:
    instance_state(instance).info.setdefault(_READ, set()).add(key)


class _Loaded:
    """What one scope has loaded: the objects, and the line that ran the query of each."""

    __slots__ = ("context", "objects", "trail")

    def __init__(self) -> None:
        self.objects: list[tuple[Any, Trail]] = []
        self.context: Any = None
        self.trail: Trail = ()


class EagerLoads:
    """Watches the relationships of some models; ``trail`` tells where the application is."""

    def __init__(self, trail: Callable[[], Trail]) -> None:
        self._trail = trail
        self._loaded: weakref.WeakKeyDictionary[Scope, _Loaded] = weakref.WeakKeyDictionary()
        self._watched: list[Any] = []
        self._classes: list[type] = []

    def watch(self, base: type) -> None:
        """Watch all classes that are mapped in the registry of the declarative ``base``; twice is once."""
        registry: Any = base.registry  # type: ignore[attr-defined]
        registry.configure()
        for mapper in registry.mappers:
            for relationship in mapper.relationships:
                attribute = mapper.class_manager.get(relationship.key)
                if type(attribute) is InstrumentedAttribute:
                    attribute.__class__ = _Watched
                    self._watched.append(attribute)
            if mapper.class_ not in self._classes:
                self._classes.append(mapper.class_)
                event.listen(mapper.class_, "load", self._note)

    def unwatch(self) -> None:
        """Give the models their own attributes back."""
        for attribute in self._watched:
            attribute.__class__ = InstrumentedAttribute
        for mapped in self._classes:
            event.remove(mapped, "load", self._note)
        self._watched, self._classes = [], []

    def _note(self, instance: Any, context: Any) -> None:
        scope = current_scope()
        if scope is None or scope.kind is ScopeKind.MONITOR:
            return
        loaded = self._loaded.get(scope)
        if loaded is None:
            loaded = self._loaded[scope] = _Loaded()
        if len(loaded.objects) < INSTANCES:
            if loaded.context is not context:
                loaded.context, loaded.trail = context, self._trail()
            loaded.objects.append((instance, loaded.trail))

    def unused(self, scope: Scope) -> list[Finding]:
        """What ``scope`` has loaded for nothing; the objects are let go."""
        loaded = self._loaded.pop(scope, None)
        if loaded is None:
            return []
        counts: dict[tuple[Mapper[Any], str], list[int]] = {}
        trails: dict[tuple[Mapper[Any], str], Trail] = {}
        for instance, trail in loaded.objects:
            state: Any = inspect(instance)
            read = state.info.get(_READ, ())
            for relationship in state.mapper.relationships:
                key = relationship.key
                if key not in state.dict or key in state.committed_state:
                    continue  # not loaded, or set by the application
                of = (state.mapper, key)
                count = counts.setdefault(of, [0, 0])
                count[0] += 1
                count[1] += key in read
                trails.setdefault(of, trail)
        return [
            _finding(mapper, key, number, trails[mapper, key], scope.name)
            for (mapper, key), (number, read) in counts.items()
            if number >= LOADED_FROM and not read
        ]


def _finding(mapper: Mapper[Any], key: str, loaded: int, trail: Trail, scope: str) -> Finding:
    subject = f"{mapper.class_.__name__}.{key}"
    relationship: Any = mapper.relationships[key]
    always = relationship.lazy not in ("select", "raise", "raise_on_sql", True)
    lines = places(trail)
    return Finding(
        kind=PatternKind.UNUSED_EAGER_LOAD,
        fingerprint="",
        statement="",
        remedy=(
            f"Do not load {subject} here: "
            + (
                f'add .options(lazyload({subject})), or drop lazy="{relationship.lazy}" from the model.'
                if always
                else f"drop the loader option for {subject} from the query."
            )
        ),
        place=lines[0] if lines else None,
        callers=tuple(lines[1:]),
        subject=subject,
        scope=scope,
        count=loaded,
        evidence={"loaded": loaded, "read": 0},
    )
