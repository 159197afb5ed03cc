"""cupsd.conf and cups-files.conf as text: read, judged by name, changed where it must be. No input or output."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

GUARDED = ("Restart-Job", "Reprocess-Job", "CUPS-Move-Job", "Hold-Job")
POLICY = "certspool"
_MARK = "# certspool-agent doctor"

# What each setting is where it is not written (CUPS 2.4), and what it must be: the texts that mean it, the first is written.
WANTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "DirtyCleanInterval": ("30", ("0",)),
    "PreserveJobFiles": ("86400", ("No", "Off", "False", "0")),
    "PreserveJobHistory": ("Yes", ("Yes", "On", "True")),
    "MaxJobs": ("500", ("0",)),
    "MaxJobTime": ("10800", ("0",)),
    "WebInterface": ("Yes", ("No", "Off", "False", "0")),
    "Browsing": ("Yes", ("No", "Off", "False", "0")),
}
WANTED_FILES: Mapping[str, tuple[str, tuple[str, ...]]] = {"SyncOnClose": ("No", ("Yes", "On", "True"))}


@dataclass(frozen=True)
class Configuration:
    """Both files; None where one cannot be read."""

    cupsd: str | None
    files: str | None
    cupsd_path: str = "cupsd.conf"
    files_path: str = "cups-files.conf"

    def value(self, name: str) -> str:
        """Return a top-level setting of cupsd.conf or its default."""
        return _last(self.cupsd or "", name, WANTED[name][0])

    def files_value(self, name: str, default: str = "") -> str:
        return _last(self.files or "", name, default)

    def environment(self, variable: str) -> str | None:
        """Return what backends get as this variable; None when it is passed from cupsd's own, which nobody here sees."""
        passed = [words for _, words in _top_level(self.files or "", "PassEnv")]
        if any(variable in words.split() for words in passed):
            return None
        found = [words.split(None, 1) for _, words in _top_level(self.files or "", "SetEnv")]
        return next((pair[1] for pair in reversed(found) if len(pair) == 2 and pair[0] == variable), "")


def wrong_settings(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of each setting that is not what certificate queues need."""
    if configuration.cupsd is not None:
        for name, (_, good) in WANTED.items():
            if not _means(configuration.value(name), good):
                yield name, configuration.value(name)
    if configuration.files is not None:
        for name, (default, good) in WANTED_FILES.items():
            if not _means(value := configuration.files_value(name, default), good):
                yield name, value


def open_operations(text: str, policy: str, trusted: frozenset[str]) -> tuple[str, ...]:
    """Return the guarded operations that somebody else than the administrators and the agent may do."""
    limits = dict(_limits(text, policy))
    return tuple(op for op in GUARDED if not _is_closed(limits.get(op.lower(), limits.get("all", [])), trusted))


def private_values(text: str, policy: str) -> str:
    """Return the policy's JobPrivateValues."""
    found = [line.split(None, 1)[1].strip() for line in _policy(text, policy) if _word(line) == "jobprivatevalues"]
    return found[-1] if found else "default"


def with_settings(text: str, values: Mapping[str, str]) -> str:
    """Return the file with these settings at top level: changed where they stand, else added at the end. Nothing else moves."""
    lines, missing = text.splitlines(), dict(values)
    drop = set[int]()
    for name, value in values.items():
        found = [index for index, _ in _top_level(text, name)]
        if found:
            lines[found[0]] = f"{name} {value}"
            drop.update(found[1:])
            del missing[name]
    kept = [line for index, line in enumerate(lines) if index not in drop]
    added = [_MARK, *(f"{name} {value}" for name, value in missing.items())] if missing else []
    return "\n".join([*kept, *added]) + "\n"


def with_environment(text: str, variable: str, value: str) -> str:
    """Return cups-files.conf with this one SetEnv; others stay."""
    drop = {i for i, words in _top_level(text, "SetEnv") if words.split(None, 1)[0] == variable}
    kept = [line for index, line in enumerate(text.splitlines()) if index not in drop]
    return "\n".join([*kept, f"SetEnv {variable} {value}"]) + "\n"


def with_policy(text: str, users: Sequence[str]) -> str:
    """Return cupsd.conf with our own policy, instead of one of that name."""
    kept, inside = list[str](), False
    for line in text.splitlines():
        inside = inside or _opens(line) == ("policy", POLICY)
        if not inside:
            kept.append(line)
        elif line.strip().lower() == "</policy>":
            inside = False
    return "\n".join(kept) + "\n" + _POLICY.format(name=POLICY, users=" ".join(["@SYSTEM", *users]))


def same_path(a: str, b: str) -> bool:
    return PurePath(a) == PurePath(b)


_POLICY = """\
<Policy {name}>
  JobPrivateAccess @OWNER @SYSTEM
  JobPrivateValues none
  SubscriptionPrivateAccess @OWNER @SYSTEM
  SubscriptionPrivateValues default
  <Limit Restart-Job Reprocess-Job CUPS-Move-Job Hold-Job Release-Job Set-Job-Attributes Cancel-Job Cancel-Jobs \
Cancel-My-Jobs Purge-Jobs Pause-Printer Resume-Printer CUPS-Accept-Jobs CUPS-Reject-Jobs CUPS-Get-Document \
CUPS-Add-Modify-Printer CUPS-Delete-Printer>
    AuthType Default
    Require user {users}
    Order deny,allow
  </Limit>
  <Limit Validate-Job Close-Job All>
    Order deny,allow
  </Limit>
</Policy>
"""


def _means(value: str, good: Sequence[str]) -> bool:
    return value.lower() in (text.lower() for text in good)


def _last(text: str, name: str, default: str) -> str:
    found = [value for _, value in _top_level(text, name)]
    return found[-1] if found else default


def _top_level(text: str, name: str) -> Iterator[tuple[int, str]]:
    """Yield line number and value of each occurrence outside of all blocks."""
    depth = 0
    for index, line in enumerate(text.splitlines()):
        word = line.strip()
        if word.startswith("</"):
            depth -= 1
        elif word.startswith("<"):
            depth += 1
        elif depth == 0 and _word(line) == name.lower():
            value = word[len(name) :].split("#")[0].strip()
            yield index, value


def _word(line: str) -> str:
    words = line.split(None, 1)
    return words[0].lower() if len(words) == 2 else ""


def _opens(line: str) -> tuple[str, str]:
    found = re.fullmatch(r"\s*<(\w+)\s+([^>]*?)\s*>\s*(#.*)?", line)
    return (found[1].lower(), found[2]) if found else ("", "")


def _policy(text: str, policy: str) -> list[str]:
    """Return the lines of the policy's block."""
    lines, inside = list[str](), False
    for line in text.splitlines():
        kind, name = _opens(line)
        if kind == "policy":
            inside = name.lower() == policy.lower()
        elif line.strip().lower() == "</policy>":
            inside = False
        elif inside:
            lines.append(line)
    return lines


def _limits(text: str, policy: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each operation with the lines that limit it."""
    operations, body = list[str](), list[str]()
    for line in _policy(text, policy):
        kind, names = _opens(line)
        if kind == "limit":
            operations, body = names.lower().split(), []
        elif line.strip().lower() == "</limit>":
            yield from ((operation, body) for operation in operations)
            operations = []
        elif operations:
            body.append(line)


def _is_closed(limit: Sequence[str], trusted: frozenset[str]) -> bool:
    """Whether one must prove who one is, and only trusted names will do. Without AuthType a name is what a client claims."""
    authenticated = [line for line in limit if _word(line) == "authtype" and line.split()[1].lower() != "none"]
    required = [line.split()[1:] for line in limit if _word(line) == "require"]
    named = all(words[0].lower() == "user" and set(words[1:]) <= {"@SYSTEM", "@OWNER", *trusted} for words in required)
    denied = any(re.fullmatch(r"\s*deny\s+(from\s+)?all\s*", line, re.IGNORECASE) for line in limit)
    return denied or bool(authenticated and required and named)
