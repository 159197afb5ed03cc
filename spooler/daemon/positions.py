"""On which line of a TOML file each key stands: tomllib does not say, and a person who has to mend the file wants to know."""

import re
import tomllib
from bisect import bisect_right

Path = tuple[str | int, ...]

# What the scanner takes as one piece. A string never hides a mark, a comment never a line end.
_TOKEN = re.compile(
    r'(?P<space>[ \t\r]+|#[^\n]*)|(?P<text>"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<mark>[\[\]{}=,.\n])|(?P<word>[^\s\[\]{}=,.#\"']+)",
    re.DOTALL,
)
_END_OF_FILE = ""


def line_of(source: str, path: Path) -> int:
    """Return the line of the key, or of the nearest table around it that the file has. tomllib must have read the file."""
    lines = _Scan(source).lines
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)


def told(file: object, source: str, where: Path, message: str) -> str:
    """Return the message behind file, line and key."""
    return f"{file}:{line_of(source, where)}: {'.'.join(map(str, where))}: {message}"


class _Scan:
    """One walk through a file that is known to be sound."""

    def __init__(self, source: str) -> None:
        self.lines: dict[Path, int] = {}
        self._tokens = [token for token in _TOKEN.finditer(source) if token.lastgroup != "space"]
        self._line_starts = [0, *(i + 1 for i, character in enumerate(source) if character == "\n")]
        self._at = 0
        self._entries: dict[Path, int] = {}
        table: Path = ()
        while self._next_but("\n") != _END_OF_FILE:
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        """Read [a.b], or [[a.b]]: the next entry of a list."""
        line, begin = self._line(), self._at
        self._next_but("[")
        is_list = self._at - begin == 2
        path = self._key()
        self._next_but("]")
        if is_list:
            self.lines.setdefault(path, line)
            self._entries[path] = self._entries.get(path, -1) + 1
            path = (*path, self._entries[path])
        self.lines[path] = line
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = (*table, *self._key())
        self.lines[path] = line
        self._take()  # the =
        self._value(path)

    def _key(self) -> Path:
        parts = [self._name()]
        while self._peek() == ".":
            self._take()
            parts.append(self._name())
        return tuple(parts)

    def _name(self) -> str:
        word = self._take()
        return str(tomllib.loads(f"name = {word}")["name"]) if word[0] in "\"'" else word

    def _value(self, path: Path) -> None:
        if self._peek() == "{":
            self._take()
            while self._next_but("\n,") != "}":
                self._pair(path)
            self._take()
        elif self._peek() == "[":
            self._list(path)
        else:
            while self._peek() not in ("\n", ",", "}", "]", _END_OF_FILE):
                self._take()

    def _list(self, path: Path) -> None:
        self._take()
        n = 0
        while self._next_but("\n,") != "]":
            self.lines[(*path, n)] = self._line()
            self._value((*path, n))
            n += 1
        self._take()

    def _next_but(self, marks: str) -> str:
        """Pass over the marks and return what stands next."""
        while self._peek() and self._peek() in marks:
            self._take()
        return self._peek()

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else _END_OF_FILE

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _line(self) -> int:
        return bisect_right(self._line_starts, self._tokens[self._at].start())
