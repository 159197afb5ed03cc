"""What is installed is what the lock says, byte by byte: `setup.sh` over a small lock and a package of our own, without a network."""

import os
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAME, WHEEL = "certspool_trial", "certspool_trial-1.0-py3-none-any.whl"


class Checkout:
    """A copy of `setup.sh` with a lock of one package, which lies beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.installed = directory / "installed"
        self.lock = directory / "requirements.lock"
        self.wheel = directory / "wheels" / WHEEL
        (directory / ".venv/bin").mkdir(parents=True)
        (directory / ".venv/bin/python").symlink_to(sys.executable)
        # Its functions without its last line: the Debian packages are not in question here.
        (directory / "setup.sh").write_text((ROOT / "setup.sh").read_text().removesuffix("main\n") + '"$@"\n')
        a_wheel(self.wheel, "GENUINE = True\n")
        self.lock.write_text(
            f"certspool-trial==1.0 \\\n    --hash=sha256:{sha256(self.wheel.read_bytes()).hexdigest()}\n"
        )

    def install(self) -> subprocess.CompletedProcess[str]:
        """Run the very line of `setup.sh` that installs the lock."""
        (line,) = re.findall(r"^    (pip_install --require-hashes .* -r requirements\.lock)$", self._script(), re.M)
        quiet = {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheel.parent),
            "PIP_TARGET": str(self.installed),
            "PIP_NO_CACHE_DIR": "1",
            "PIP_CONFIG_FILE": os.devnull,
        }
        return subprocess.run(
            ["sh", "setup.sh", *line.split()],
            cwd=self.directory,
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def has_installed(self) -> bool:
        return (self.installed / f"{NAME}.py").exists()

    def _script(self) -> str:
        return (self.directory / "setup.sh").read_text()


def a_wheel(path: Path, source: str) -> None:
    path.parent.mkdir(exist_ok=True)
    about = f"{NAME}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{NAME}.py", source)
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: certspool-trial\nVersion: 1.0\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.attack_row("S43")
def test_what_the_lock_names_is_installed(checkout: Checkout):
    done = checkout.install()

    assert done.returncode == 0, done.stderr
    assert checkout.has_installed()


@pytest.mark.attack_row("S43")
def test_a_package_that_was_changed_is_not_installed(checkout: Checkout):
    """Somebody owns the index, or the way there."""
    a_wheel(checkout.wheel, "GENUINE = False\n")

    done = checkout.install()

    assert done.returncode != 0 and "DO NOT MATCH THE HASHES" in done.stderr
    assert not checkout.has_installed()


@pytest.mark.parametrize(
    "tamper",
    [
        lambda lock: lock[:-2] + ("0" if lock[-2] != "0" else "1") + "\n",
        lambda lock: lock.split(" \\")[0] + "\n",
        lambda lock: lock + "certspool-more==1.0\n",
        lambda lock: lock.replace("sha256:", "md5:"),
    ],
    ids=["another hash", "no hash", "an entry without one", "a weak hash"],
)
@pytest.mark.attack_row("S43")
def test_a_lock_that_was_tampered_with_installs_nothing(checkout: Checkout, tamper):
    checkout.lock.write_text(tamper(checkout.lock.read_text()))

    assert checkout.install().returncode != 0
    assert not checkout.has_installed()


@pytest.mark.attack_row("S43")
def test_whatever_set_up_takes_from_elsewhere_it_takes_by_hash():
    """The only thing installed without one is this checkout itself."""
    calls = re.findall(r"^    pip_install (.*)$", (ROOT / "setup.sh").read_text(), re.M)
    unhashed = [call for call in calls if "--require-hashes" not in call]

    assert unhashed == ["--no-deps --no-build-isolation --editable ."]
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text())[1:]
    assert len(entries) > 50
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
