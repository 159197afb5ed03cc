"""Where a callback may go: judged when the setting is read and again at each connection, which goes to the address that was judged.

A name is resolved once for each try. Of its addresses those that the allow-list forbids are not connected to; TLS is still checked
against the name. So a name that turns to an inside address between two look-ups reaches nothing.
"""

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_A_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# IPv4 in IPv6's clothes: a translator on the way would undress it.
_TRANSLATED = tuple(
    map(ip_network, ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)


class AddressRefused(Exception):
    """A callback that would go where none may go."""

    code = "address-refused"


@dataclass(frozen=True)
class Allowed:
    """What an endpoint may be reached by: any public address without `networks`, else these alone; http:// only where it is said."""

    networks: tuple[Network, ...] = ()
    plain_http: bool = False

    def takes(self, address: Address) -> bool:
        """Say whether a callback may be sent there. Link-local (cloud metadata), multicast and 0.0.0.0 never are."""
        if address.is_unspecified or address.is_link_local or address.is_multicast or _is_broadcast(address):
            return False
        if any(_holds(network, address) for network in _LOOPBACK):
            return any(_holds(network, address) for network in self.networks if _is_loopback(network))
        if any(_holds(network, address) for network in _TRANSLATED):
            return False
        if self.networks:
            return any(_holds(network, address) for network in self.networks)
        return address.is_global

    def check(self, url: str) -> None:
        """Raise AddressRefused for an address that can be judged as it is written; names are judged when they are resolved."""
        scheme, host = _parts(url)
        if scheme == "http" and not self.plain_http:
            raise AddressRefused("http:// sends callbacks in the clear; `plain_http = true` permits it")
        address = _written_address(host)
        if address is not None and not self.takes(address):
            raise AddressRefused(f"{address} is not an address that callbacks may go to; see `addresses`")
        if address is None and _is_local(host) and not any(map(_is_loopback, self.networks)):
            raise AddressRefused(f"{host} is this machine; see `addresses`")

    def choose(self, found: Iterable[str]) -> list[str]:
        """Return those of a name's addresses that a callback may go to; AddressRefused when there is none."""
        chosen = [text for text in dict.fromkeys(found) if self._takes_text(text)]
        if not chosen:
            raise AddressRefused("the host has no address that callbacks may go to; see `addresses`")
        return chosen

    def _takes_text(self, text: str) -> bool:
        return "%" not in text and self.takes(ip_address(text))


class CheckedTransport(httpx.BaseTransport):
    """Connects to an address that was judged a moment ago, and to no other; never by a proxy."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        authorities: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve or resolve_host
        self._inner = httpx.HTTPTransport(verify=authorities or httpx.create_ssl_context(), trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._allowed.check(str(request.url))
        host, port = request.url.host, request.url.port or _port(request.url.scheme)
        addresses = self._allowed.choose([host] if _written_address(host) else self._find(host, port))
        for address in addresses[:-1]:
            try:
                return self._inner.handle_request(_to(address, request))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the next one may answer
        return self._inner.handle_request(_to(addresses[-1], request))

    def close(self) -> None:
        self._inner.close()

    def _find(self, host: str, port: int) -> Sequence[str]:
        try:
            return self._resolve(host, port)
        except (OSError, UnicodeError) as e:
            raise httpx.ConnectError("the host's name is not known") from e


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a name as the machine knows them, in the machine's order."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _to(address: str, request: httpx.Request) -> httpx.Request:
    """Return the request for this address; the Host header and the name for TLS stay those of the URL."""
    extensions = {**request.extensions, "sni_hostname": request.url.host}
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _parts(url: str) -> tuple[str, str]:
    """Return scheme and host; AddressRefused for what different readers would read differently."""
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        raise AddressRefused("an address is written in plain ASCII; names in their xn-- form")
    try:
        split = urlsplit(url)
        host, port = split.hostname or "", split.port
    except ValueError:
        raise AddressRefused("not a URL") from None
    if split.scheme not in ("http", "https") or not host or port == 0:
        raise AddressRefused("https://host/path is needed")
    if "@" in split.netloc or split.fragment:
        raise AddressRefused("neither a user nor a fragment belongs into the address")
    return split.scheme, host


def _written_address(host: str) -> Address | None:
    """Return the address that is written; None for a name; AddressRefused for a number that only some readers take for one."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    name = host.removesuffix(".")
    if not _HOST_NAME.fullmatch(name) or _A_NUMBER.fullmatch(name.rsplit(".", 1)[-1]):
        raise AddressRefused(f"{host[:64]!r} is neither a host name nor an address in its usual form")
    return None


def _is_local(host: str) -> bool:
    name = host.removesuffix(".")
    return name in _LOCAL_NAMES or name.endswith(".localhost")


def _is_loopback(network: Network) -> bool:
    """Say whether this entry of the list means the machine itself: 0.0.0.0/0 does not."""
    return any(_within(network, loopback) for loopback in _LOOPBACK)


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.prefixlen >= outer.prefixlen and inner[0] in outer


def _holds(network: Network, address: Address) -> bool:
    return address.version == network.version and address in network


def _is_broadcast(address: Address) -> bool:
    return isinstance(address, IPv4Address) and int(address) >= int(IPv4Address("240.0.0.0"))


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
