"""The changed code put into the running module: into the functions that others hold already, and into its constants."""

import ast
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutation.mutants import Mutant


def transplant(mutant: Mutant) -> None:
    """Let the module run as the mutant from now on, in this process."""
    module = sys.modules[_name_of(mutant)]
    code = compile(mutant.tree, str(mutant.path), "exec")
    statement = mutant.tree.body[mutant.top]
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        changed = {one.co_qualname: one for one in _codes(code)}
        for function in _functions(module):
            if function.__code__.co_qualname in changed:
                function.__code__ = changed[function.__code__.co_qualname]
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        alone = ast.Module([statement], [])
        exec(compile(alone, str(mutant.path), "exec"), vars(module))


def _name_of(mutant: Mutant) -> str:
    return ".".join(mutant.path.with_suffix("").parts)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of the module's functions and of its classes' methods; what stands inside them comes with them."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and "<" not in constant.co_qualname:
            yield constant
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in vars(module).values():
        if getattr(value, "__module__", None) == module.__name__:
            yield from _of(value)


def _of(value: Any) -> Iterator[FunctionType]:
    if isinstance(value, type):
        for member in vars(value).values():
            yield from _of(member)
    for held in (
        value,
        getattr(value, "__wrapped__", None),
        getattr(value, "__func__", None),
        getattr(value, "fget", None),
    ):
        if isinstance(held, FunctionType):
            yield held
