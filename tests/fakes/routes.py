"""The application's own route table, flat: what tests go through so that no route is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI


@dataclass(frozen=True, kw_only=True)
class Address:
    """One method of one route. `names` are the parameters in its path."""

    method: str
    path: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def filled(self, value: str) -> str:
        """The path with this value for every name in it."""
        path = self.path
        for name in self.names:
            path = path.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
        return path


def addresses_of(app: FastAPI) -> Iterator[Address]:
    """Every method of every route, those of included routers too (FastAPI keeps them apart)."""
    for route in app.routes:
        contexts = getattr(route, "effective_route_contexts", None)
        for found in contexts() if contexts else (route,):
            for method in sorted(getattr(found, "methods", None) or ()):
                names = tuple(getattr(found, "param_convertors", ()))
                yield Address(method=method, path=found.path, names=names)
