"""Settings say where a mistake stands, and secrets that others can read are refused."""

import os

import pytest
from pydantic import BaseModel

from spooler.daemon.settings import Credentials, Section, SettingsError, load_settings


class Place(Section):
    listen: str
    workers: int = 1
    windows: tuple[str, ...] = ()


class Registry(Section):
    id: str


class Example(Section):
    home: Place
    registries: tuple[Registry, ...] = ()


@pytest.fixture
def load(tmp_path):
    def load(text: str, environment=None) -> Example:
        path = tmp_path / "home.toml"
        path.write_text(text)
        return load_settings(Example, path, environment or {})

    return load


GOOD = '[home]\nlisten = "127.0.0.1:8600"\n[[registries]]\nid = "231221"\n'


def test_a_file_is_read_into_one_typed_object(load):
    assert load(GOOD) == Example(home=Place(listen="127.0.0.1:8600"), registries=(Registry(id="231221"),))


def test_the_environment_stands_above_the_file(load):
    """A container or a unit's drop-in changes one value without another file."""
    environment = {
        "CERTSPOOL_HOME__LISTEN": "0.0.0.0:80",
        "CERTSPOOL_HOME__WORKERS": "4",
        "CERTSPOOL_HOME__WINDOWS": '["1", "2"]',
    }

    assert load(GOOD, environment).home == Place(listen="0.0.0.0:80", workers=4, windows=("1", "2"))


def test_the_environment_can_give_a_whole_section(load):
    assert load("", {"CERTSPOOL_HOME__LISTEN": "a:1"}).home.listen == "a:1"


def test_other_variables_do_no_harm(load):
    """CERTSPOOL_API is the client's, CERTSPOOL_CRASH__X nobody's."""
    environment = {"CERTSPOOL_API": "http://x", "CERTSPOOL_TOKEN": "t", "CERTSPOOL_CRASH__X": "1", "HOME": "/root"}

    assert load(GOOD, environment) == load(GOOD)


@pytest.mark.parametrize(
    "text, environment, words",
    [
        ('[home]\nlisten = "a"\nworkers = "many"\n', {}, ["home.toml", "home.workers"]),
        ("[home]\nworkers = 1\n", {}, ["home.toml", "home.listen", "required"]),
        ('[home]\nlisten = "a"\nlisen = "b"\n', {}, ["home.lisen", "not permitted"]),
        ('[home]\nlisten = "a"\n[[registries]]\nname = "x"\n', {}, ["registries.0.id"]),
        ("[home\n", {}, ["home.toml", "not a TOML file", "line 1"]),
        (GOOD, {"CERTSPOOL_REGISTRIES__ID": "1"}, ["CERTSPOOL_REGISTRIES__ID", "a list"]),
        (GOOD, {"CERTSPOOL_HOME__WINDOWS": "[1"}, ["CERTSPOOL_HOME__WINDOWS", "TOML"]),
        (GOOD, {"CERTSPOOL_HOME__WORKERS": "x"}, ["home.workers"]),
    ],
)
def test_a_mistake_is_told_with_file_and_key(load, text, environment, words):
    with pytest.raises(SettingsError) as told:
        load(text, environment)

    assert all(word in str(told.value) for word in words), told.value


def test_a_wrong_value_is_not_repeated(load):
    """It may be a password put into the wrong line."""
    with pytest.raises(SettingsError) as told:
        load('[home]\nlisten = "a"\nworkers = "hunter2"\n')

    assert "hunter2" not in str(told.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match=r"home\.toml: No such file"):
        load_settings(Example, tmp_path / "home.toml", {})


def test_any_model_can_be_loaded(tmp_path):
    class Other(BaseModel):
        name: str

    (tmp_path / "o.toml").write_text('name = "x"')

    assert load_settings(Other, tmp_path / "o.toml", {}).name == "x"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "broker.password"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    return path


def test_a_credential_is_read_by_name(secret):
    credentials = Credentials(secret.parent, {})

    assert (credentials.read(secret.name), credentials.text(secret.name)) == (b"s3cret\n", "s3cret")


def test_systemds_directory_is_used_when_none_is_set(secret):
    assert Credentials(None, {"CREDENTIALS_DIRECTORY": str(secret.parent)}).text(secret.name) == "s3cret"


def test_a_file_of_a_directory_that_systemd_loaded_is_found_by_its_name(secret):
    """LoadCredential=credential:DIRECTORY puts `credential_` before each name."""
    secret.rename(secret.with_name("credential_broker.password"))

    assert Credentials(None, {"CREDENTIALS_DIRECTORY": str(secret.parent)}).text("broker.password") == "s3cret"
    with pytest.raises(SettingsError, match="No such file"):
        Credentials(secret.parent, {}).read("broker.password")


def test_no_directory_at_all_is_told():
    with pytest.raises(SettingsError, match="credentials_directory"):
        Credentials(None, {})


@pytest.mark.attack_row("S41")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666])
def test_a_credential_that_others_can_reach_is_refused(secret, mode):
    """S41: the service does not start, and says how to mend it."""
    secret.chmod(mode)

    with pytest.raises(SettingsError, match=rf"{mode:04o}.*chmod 0600"):
        Credentials(secret.parent, {}).read(secret.name)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_credential_for_the_owner_alone_is_taken(secret, mode):
    secret.chmod(mode)

    assert Credentials(secret.parent, {}).text(secret.name) == "s3cret"


def test_systemds_access_list_is_no_loose_mode(secret):
    """systemd lets the service's user in by an ACL; its mask shows as the group's right to read."""
    environment = {"CREDENTIALS_DIRECTORY": str(secret.parent)}
    secret.chmod(0o440)
    assert Credentials(None, environment).text(secret.name) == "s3cret"

    secret.chmod(0o444)
    with pytest.raises(SettingsError, match="0444"):
        Credentials(None, environment).read(secret.name)


@pytest.mark.parametrize("name", ["", ".", "..", "../etc/passwd", "/etc/passwd", "a/b", "a\0b"])
def test_a_credential_is_a_plain_name(secret, name):
    with pytest.raises(SettingsError, match="plain file name"):
        Credentials(secret.parent, {}).read(name)


@pytest.mark.attack_row("S41")
def test_a_missing_credential_is_told_with_its_path(secret):
    with pytest.raises(SettingsError, match=f"{secret.parent}/seal.p12: No such file"):
        Credentials(secret.parent, {}).read("seal.p12")


def test_a_directory_is_no_credential(secret):
    (secret.parent / "d").mkdir(mode=0o700)

    with pytest.raises(SettingsError, match="not a file"):
        Credentials(secret.parent, {}).read("d")


@pytest.mark.attack_row("S41")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_credential_of_somebody_else_is_refused(secret):
    """Who owns it can read it, whatever its mode says."""
    os.chown(secret, 65534, 65534)

    with pytest.raises(SettingsError, match="belongs to user 65534"):
        Credentials(secret.parent, {}).read(secret.name)


def test_a_password_that_is_no_text_is_told(secret):
    secret.write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="UTF-8"):
        Credentials(secret.parent, {}).text(secret.name)
