"""The house stays in order: who may import whom, and that importing does nothing."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
MODULES = sorted(p for package in ("spooler", "agents") for p in (HOUSE / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(p) for p in MODULES}


def imports_of(path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Yield the modules of ours that `path` imports; with `at_import` only those it needs to be imported itself."""
    tree = ast.parse(path.read_text())
    for node in _at_import(tree) if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in {"spooler", "agents"})
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in {"spooler", "agents"}:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in NAMES else node.module


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs at import: not the bodies of functions, not what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _at_import(child)


@pytest.mark.parametrize("path", [p for p in MODULES if p.is_relative_to(HOUSE / "agents")], ids=name_of)
def test_a_hall_needs_of_home_only_the_contract(path):
    """`agents` imports of `spooler` only `wire` and `daemon`, so a hall can be installed without a home."""
    strangers = [
        m for m in imports_of(path) if m.startswith("spooler") and m.split(".")[1:2] not in (["wire"], ["daemon"])
    ]

    assert strangers == []


@pytest.mark.parametrize("path", [p for p in MODULES if p.is_relative_to(HOUSE / "spooler")], ids=name_of)
def test_a_home_needs_nothing_of_the_hall(path):
    """`spooler` never imports `agents`; the sandbox, which plays both sides, may."""
    if path.is_relative_to(HOUSE / "spooler" / "sandbox"):
        return

    assert [m for m in imports_of(path) if m.startswith("agents")] == []


def test_no_modules_import_each_other_in_a_circle():
    graph = {name_of(p): set(imports_of(p, at_import=True)) - {name_of(p)} for p in MODULES}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as e:
        pytest.fail(f"an import cycle: {' → '.join(e.args[1])}")


def test_only_one_module_knows_each_edge():
    """pika, pycups, pkcs11: each library of an edge is imported in one module (style.md)."""
    for library, home in {
        "pika": "spooler.wire.link",
        "cups": "agents.printers",
        "pkcs11": "spooler.seal.token",
    }.items():
        users = {name_of(p) for p in MODULES if library in _libraries(p)}
        assert users <= {home}


def _libraries(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_importing_does_nothing(tmp_path):
    """Importing every module writes no file, starts no thread, opens no socket and sets up no log handler."""
    program = (
        "import importlib, logging, sys, threading\n"
        "def guard(event, args):\n"
        "    if event in ('socket.connect', 'socket.bind', 'subprocess.Popen'): raise SystemExit(f'import did {event}')\n"
        "    if event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+'): raise SystemExit(f'import wrote {args[0]}')\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(guard)\n"
        f"for name in {sorted(n for n in NAMES if not n.endswith('__main__') and '.migrations' not in n)!r}:\n"
        "    importlib.import_module(name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert not logging.getLogger().handlers, logging.getLogger().handlers\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")
