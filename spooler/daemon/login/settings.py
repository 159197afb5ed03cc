"""What a settings file may say about logging in."""

from ipaddress import ip_address


def check_plain(listen: str, is_plain: bool) -> None:
    """Without TLS a password goes no further than this machine: ValueError where others are listened to."""
    if is_plain and not _is_loopback(listen.rpartition(":")[0].strip("[]")):
        raise ValueError(
            f"plain_http_sessions: 仅当 listen 为 127.0.0.1 或 [::1] 时可用 · only with a listen on this machine, not {listen}: "
            "put a proxy with TLS in front, and leave it false"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
