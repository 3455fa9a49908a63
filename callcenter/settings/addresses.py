"""What an address is: one at all, this machine's, a private one.

Promises: pure. Never: asks a name server.
"""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether that is this machine itself, also as IPv6 writes an address of IPv4."""
    if host == "localhost" or not is_address(host):
        return host == "localhost"
    found = ip_address(host)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_near(host: str) -> bool:
    """This machine or a private address; a name is neither but for ``localhost``."""
    return is_loopback(host) or (is_address(host) and ip_address(host).is_private)
