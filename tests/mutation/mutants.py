"""One module's source, changed in one place at a time: what each change is, where, and the whole module's syntax tree with it.

What a person reads is left as it is: docstrings, messages of errors, log lines. So are types, and where tests of other kinds kill.
"""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.LShift: ast.RShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
Change = tuple[str, Callable[[ast.AST], ast.AST]]  # what it is called, and a copy of a node with it


@dataclass(frozen=True)
class Mutant:
    """The module with one change. `top` is the top-level statement that holds it."""

    path: Path
    line: int
    what: str
    top: int
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def mutants_of(path: Path, only: frozenset[str] | None = None) -> Iterator[Mutant]:
    """Yield all of a module's, in the order of its lines; `only` within functions and classes of these names."""
    tree = ast.parse(path.read_text())
    for top, statement in enumerate(tree.body):
        if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Expr)) or _is_all(statement):
            continue
        for where, node in _places(statement, (), only):
            for what, change in _changes(node):
                changed = deepcopy(tree)
                _put(changed.body[top], where, change, changed, top)
                yield Mutant(path, node.lineno, what, top, ast.fix_missing_locations(changed))


Where = tuple[tuple[str, int | None], ...]


def _places(node: ast.AST, where: Where, only: frozenset[str] | None) -> Iterator[tuple[Where, ast.AST]]:
    """Yield every node that may be changed, and the way to it."""
    if only is not None and isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in only:
        only = None
    if _decides_nothing(node):
        return
    if only is None and isinstance(node, (ast.expr, ast.stmt)):
        yield where, node
    for name, value in ast.iter_fields(node):
        if name in ("args", "annotation", "returns", "decorator_list") and not isinstance(node, ast.Call):
            continue
        if _is_words(node, name):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(node, ast.ClassDef) and not isinstance(child, ast.FunctionDef):
                continue
            if isinstance(child, ast.AST) and not _is_docstring(node, name, index, child):
                yield from _places(child, (*where, (name, index if isinstance(value, list) else None)), only)


def _decides_nothing(node: ast.AST) -> bool:
    """Log lines and crash points."""
    called = ast.unparse(node.value.func) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else ""
    return called == "crash_point" or called.startswith("_log.")


def _is_words(node: ast.AST, name: str) -> bool:
    """What an exception says decides nothing."""
    return (isinstance(node, ast.Raise) and name in ("exc", "cause")) or (isinstance(node, ast.JoinedStr))


def _is_all(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"


def _is_docstring(node: ast.AST, name: str, index: int, child: ast.AST) -> bool:
    is_text = (
        isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant) and isinstance(child.value.value, str)
    )
    return is_text and name == "body" and index == 0 and isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARED:
            other = _COMPARED[type(op)]
            yield f"{type(op).__name__} → {other.__name__}", lambda n: _with(n, ops=[other()])
        case ast.Compare():
            yield "the last comparison left out", lambda n: _with(n, ops=n.ops[:-1], comparators=n.comparators[:-1])
        case ast.BoolOp(op=op):
            swapped: ast.boolop = ast.And() if isinstance(op, ast.Or) else ast.Or()
            yield f"{type(op).__name__} → {type(swapped).__name__}", lambda n: _with(n, op=swapped)
            for index in range(len(node.values)):
                yield f"operand {index + 1} left out", lambda n, i=index: _without_operand(n, i)
        case ast.UnaryOp(op=ast.Not()):
            yield "not left out", lambda n: n.operand
        case ast.BinOp(op=op) if type(op) in _COMPUTED:
            result = _COMPUTED[type(op)]
            yield f"{type(op).__name__} → {result.__name__}", lambda n: _with(n, op=result())
        case ast.Constant(value=bool() as value):
            yield f"{value} → {not value}", lambda n: ast.Constant(not n.value)
        case ast.Constant(value=int() | float()):
            yield "a number + 1", lambda n: ast.Constant(n.value + 1)
        case ast.Constant(value=str() as value) if value and " " not in value:  # else it is a sentence
            yield f"{value!r} → another", lambda n: ast.Constant(f"XX{n.value}")
        case ast.Constant(value=bytes() as value) if value:
            yield f"{value!r} → another", lambda n: ast.Constant(b"XX" + n.value)
        case ast.If():
            yield "if always", lambda n: _with(n, test=ast.Constant(True))
            yield "if never", lambda n: _with(n, test=ast.Constant(False))
        case ast.IfExp():
            yield "else never", lambda n: n.body
            yield "else always", lambda n: n.orelse
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Delete():
            yield "left out", lambda n: ast.Pass()
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield "returns None", lambda n: ast.Return(ast.Constant(None))
        case ast.Continue():
            yield "continue → break", lambda n: ast.Break()
        case ast.Break():
            yield "break → continue", lambda n: ast.Continue()


def _with(node: ast.AST, **changes: object) -> ast.AST:
    for name, value in changes.items():
        setattr(node, name, value)
    return node


def _without_operand(node: ast.AST, index: int) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    left = [value for at, value in enumerate(node.values) if at != index]
    return left[0] if len(left) == 1 else _with(node, values=left)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _put(statement: ast.AST, where: Where, change: Callable[[ast.AST], ast.AST], tree: ast.Module, top: int) -> None:
    """Put the changed node in its place."""
    if not where:
        made = change(statement)
        tree.body[top] = ast.copy_location(made, statement)  # type: ignore[call-overload]
        return
    parent = statement
    for name, index in where[:-1]:
        value = getattr(parent, name)
        parent = value if index is None else value[index]
    name, index = where[-1]
    if index is None:
        setattr(parent, name, ast.copy_location(change(getattr(parent, name)), parent))
    else:
        children = getattr(parent, name)
        children[index] = ast.copy_location(change(children[index]), children[index])
