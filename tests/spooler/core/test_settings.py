"""home.toml: typed, with its defaults, and told exactly where it is wrong."""

from pathlib import Path

import pytest

from spooler.daemon.settings import SettingsError, load_settings
from spooler.ground import read_templates
from spooler.render import find_templates
from spooler.render.template.versions import begin_next
from spooler.settings import HomeSettings

SMALLEST = """
[home]
data_directory = "/var/lib/certspool"
trust_directory = "/etc/certspool/trust"
[broker]
user = "home"
password_credential = "broker.password"
[[registries]]
id = "231221"
"""


def test_the_smallest_file_has_sensible_defaults(tmp_path: Path) -> None:
    settings = _load(tmp_path, SMALLEST)

    assert settings.home.database == "sqlite:////var/lib/certspool/home.db"
    assert (settings.home.listen, settings.home.order_days) == ("127.0.0.1:8600", 3)
    assert (settings.registries[0].seal_name, settings.registries[0].ticket_key_name) == (
        "231221.seal.p12",
        "231221.ticket.pem",
    )


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    settings = _load(tmp_path, SMALLEST, CERTSPOOL_HOME__DATABASE_URL="postgresql+psycopg://home@/certspool")

    assert settings.home.database == "postgresql+psycopg://home@/certspool"


def test_a_registry_may_keep_to_a_version_of_a_template(tmp_path: Path) -> None:
    """Its stock was measured for that one."""
    settings = _load(tmp_path, SMALLEST + "templates = { certificate = 1 }")

    assert settings.registries[0].templates == {"certificate": 1}
    assert {"certificate/1"} <= read_templates(settings).templates


def test_a_version_that_is_not_there_is_no_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"registry 231221: templates: there is no certificate/9"):
        read_templates(_load(tmp_path, SMALLEST + "templates = { certificate = 9, proof = 1 }"))


def test_a_faulty_template_is_no_start_and_named(tmp_path: Path) -> None:
    """With file, line and key: refused before the first request, not in it."""
    own = tmp_path / "own"
    begin_next("proof", [find_templates()], own)
    file = own / "proof/2/template.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("diameter = 40", "diameter = 4000"), encoding="utf-8")
    changed = SMALLEST.replace("[broker]", f'templates_directory = "{own}"\n[broker]')

    with pytest.raises(SettingsError, match=r"proof/2/template.toml:\d+: seal.diameter: "):
        read_templates(_load(tmp_path, changed))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ('[[registries]]\nid = "231221"', "registry 231221 stands twice"),
        ('[[registries]]\nid = "Wangkui"', "registries.1.id"),
        ('[[tokens]]\nid = "a"\nsha256 = "secret"\nroles = []', "tokens.0.sha256"),
        ('[[callbacks]]\nname = "a"\nurl = "file:///etc/passwd"\nsecret_credential = "s"', "callbacks.0.url"),
        ('[[printers]]\nname = "a"', "printers"),
    ],
)
def test_a_mistake_is_named_by_its_place(tmp_path: Path, change: str, place: str) -> None:
    with pytest.raises(SettingsError, match=place):
        _load(tmp_path, SMALLEST + change)


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        _load(tmp_path, SMALLEST + '[[tokens]]\nid = "a"\nsha256 = "my-secret-token"\nroles = []')

    assert "my-secret-token" not in str(told.value)


def _load(directory: Path, text: str, **environment: str) -> HomeSettings:
    (directory / "home.toml").write_text(text)
    return load_settings(HomeSettings, directory / "home.toml", environment)
