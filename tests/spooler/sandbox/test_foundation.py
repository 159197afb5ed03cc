"""What stands before any part runs: the daemons read their files, and every pair is granted."""

import os
from itertools import product

import pytest

from agents.calibration.kept import uncalibrated
from agents.settings import HallSettings
from spooler.daemon.broker import read_address
from spooler.daemon.settings import Credentials, load_settings
from spooler.sandbox import foundation
from spooler.sandbox.site import choose
from spooler.settings import HomeSettings
from spooler.wire.trust import load_trust


@pytest.fixture
def site(tmp_path):
    site = choose(tmp_path / "county", tmp_path / "county", blanks=20)
    site.directory.mkdir()
    foundation.lay(site)
    return site


def test_home_reads_its_settings(site):
    settings = load_settings(HomeSettings, site.home_config, {})

    assert [registry.id for registry in settings.registries] == ["231221", "231202"]
    assert settings.home.listen == site.home_api.removeprefix("http://")


def test_each_hall_reads_its_settings(site):
    for hall in site.halls:
        settings = load_settings(HallSettings, hall.config, {})

        assert settings.hall.id == hall.hall
        assert [p.device for p in settings.printers] == [p.real_uri for p in hall.printers]


def test_every_credential_is_there_and_private(site):
    settings = load_settings(HomeSettings, site.home_config, {})
    credentials = Credentials(site.home_credentials, {})

    for registry in settings.registries:
        assert credentials.read(registry.seal_name)
        assert credentials.read(registry.ticket_key_name)
    assert credentials.text(settings.callbacks[0].secret_credential) == site.callback_secret
    assert credentials.read(settings.broker.certificate_credential)
    for hall in site.halls:
        settings = load_settings(HallSettings, hall.config, {})
        assert Credentials(site.hall_credentials(hall.hall), {}).read(settings.broker.certificate_credential)


def test_everybody_comes_to_the_broker_over_tls_and_nobody_by_password(site):
    """As in a deployment: both sides name the broker's authority and a certificate of their own, of which nobody but they has the key."""
    addresses = [
        read_address(load_settings(model, config, {}).broker, Credentials(place, {}))
        for model, config, place in (
            (HomeSettings, site.home_config, site.home_credentials),
            *((HallSettings, hall.config, site.hall_credentials(hall.hall)) for hall in site.halls),
        )
    ]

    assert [address.user for address in addresses] == ["home", "hall-231282-01", "hall-231283-01"]
    assert all(address.tls and address.tls.certificate and not address.password for address in addresses)
    assert foundation.broker_passwords(site) == {}


def test_every_pair_is_granted_every_kind(site):
    trust = load_trust(site.trust)

    pairs = product(site.registries, [hall.hall for hall in site.halls], ["certificate", "proof"])
    assert all(trust.may_print(*pair) for pair in pairs)


def test_no_configuration_holds_a_token_or_a_password(site):
    secrets = {site.token, site.approver_token, site.callback_secret, *foundation.broker_passwords(site).values()}
    texts = [site.home_config.read_text(), *(hall.config.read_text() for hall in site.halls)]

    assert [secret for secret in secrets for text in texts if secret in text] == []


def test_a_private_directory_is_made_traversable(tmp_path):
    """The backends of a root's cupsd run as lp; a 0700 DIR would hide everything from them."""
    directory = tmp_path / "county"
    directory.mkdir(mode=0o700)

    ground = foundation.ground_for(directory)

    if os.geteuid() == 0:
        assert directory.stat().st_mode & 0o011 == 0o011
        # pytest's own folders above it are closed, and are not ours to open.
        assert ground.parent.as_posix() == "/var/tmp"
        ground.rmdir()
    else:
        assert ground == directory


def test_every_printer_comes_calibrated(site):
    """They err nowhere unless told to, and that is written down before the agent first starts."""
    for hall in site.halls:
        settings = load_settings(HallSettings, hall.config, {})

        assert [uncalibrated(printer, settings.hall) for printer in settings.printers] == [()] * 3


def test_a_sandbox_from_before_calibration_is_calibrated_when_it_comes_up_again(site):
    """Its hall.toml names no file: it goes where the agent looks by itself. A second time nothing is added."""
    hall = site.halls[0]
    text = hall.config.read_text()
    hall.config.write_text("\n".join(line for line in text.splitlines() if not line.startswith("calibration_file")))
    settings = load_settings(HallSettings, hall.config, {})
    assert uncalibrated(settings.printers[0], settings.hall) == ("A", "B", "C")

    foundation.calibrate(hall)
    kept = settings.hall.calibrations.read_text()
    foundation.calibrate(hall)

    assert uncalibrated(settings.printers[0], settings.hall) == ()
    assert settings.hall.calibrations.read_text() == kept
