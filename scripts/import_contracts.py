"""The contract type behind the arrows of the layout: a list of what a room may import.

import-linter's own types forbid named modules; the layout's rules say the opposite ("the standard
library, msgpack and nothing else"), and a list of what is allowed also catches the dependency that
nobody thought of. Direct imports are checked: each room keeps its own list, so what a chain of
imports can reach is bounded by the lists it passes through.
"""

import sys
from collections.abc import Iterator
from typing import Final

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

STANDARD_LIBRARY: Final = frozenset(sys.stdlib_module_names)


class AllowedImports(Contract):
    """Modules of one room import themselves, the standard library and what is listed.

    Options in pyproject.toml:
        modules: packages whose modules, at any depth, are under the contract.
        outside: packages below those that are not (they have a contract of their own).
        allowed: packages they may import besides themselves and the standard library.
        forbidden: modules of the standard library they may not import (optional).
    """

    modules = fields.ListField(subfield=fields.StringField())
    outside = fields.ListField(subfield=fields.StringField(), required=False)
    allowed = fields.ListField(subfield=fields.StringField(), required=False)
    forbidden = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001  (their signature)
        """Find the imports that no list allows."""
        broken = [
            (importer, imported)
            for importer in sorted(graph.modules)
            if self._covers(importer)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._permits(imported)
        ]
        return ContractCheck(kept=not broken, metadata={"places": list(_places(graph, broken))})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per import, with its place."""
        for place in check.metadata["places"]:
            output.print_error(place, bold=False)

    def _covers(self, module: str) -> bool:
        return _within(module, _names(self.modules)) and not _within(module, _names(self.outside))

    def _permits(self, imported: str) -> bool:
        if self._covers(imported) or _within(imported, _names(self.allowed)):
            return True
        root = imported.partition(".")[0]
        return root in STANDARD_LIBRARY and not _within(imported, _names(self.forbidden))


def _names(option: object) -> list[str]:
    """Give an option's value; import-linter sets it on the instance, or None when left out."""
    return option if isinstance(option, list) else []


def _within(module: str, packages: list[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in packages)


def _places(graph: ImportGraph, broken: list[tuple[str, str]]) -> Iterator[str]:
    for importer, imported in broken:
        for detail in graph.get_import_details(importer=importer, imported=imported):
            yield f"{importer}:{detail['line_number']} may not import {imported}"
