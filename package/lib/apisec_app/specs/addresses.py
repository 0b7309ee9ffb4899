"""Which addresses an input may connect to: never those that clouds keep for a machine's own secrets.

A name is resolved once, and the connection goes to an address that was looked at here: a name that answers differently
the next time (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import threading
from typing import Any, List, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

# Metadata services that no range says anything about: Azure's wire server (a public address), Alibaba's, Oracle's
# former one, and the one of AWS by IPv6. Those at 169.254.0.0/16 are link-local.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
# An IPv4 address in their last 32 bits: NAT64 (RFC 6052; RFC 8215, as it is usually numbered), SIIT (RFC 2765).
_TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")))
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1; ::1 is none
# Inside of a site, though Python calls them global: site-local addresses (RFC 3879), a site's own NAT64.
_LOCAL = tuple(map(ipaddress.ip_network, ("fec0::/10", "64:ff9b:1::/48")))


class AddressError(Exception):
    """An address is refused, or a name has none; the message names the remedy."""


def allowed(host: str, port: int, *, private: bool, seconds: float) -> List[str]:
    """Return the addresses of a host that may be connected to; AddressError when there are none."""
    found = _resolved(host, port, seconds)
    reasons = {address: refusal(address, private=private) for address in found}
    good = [address for address, reason in reasons.items() if not reason]
    if not good:
        address, reason = next(iter(reasons.items()))
        raise AddressError(f"{host} is {address}, {reason}" if host != address else f"{host} is {reason}")
    return good


def refusal(text: str, *, private: bool) -> str:
    """Return why an address is refused; empty when it is not."""
    named = ipaddress.ip_address(text.partition("%")[0])
    address = _meant(named)
    if address.is_link_local or address in _METADATA:
        return "a link-local or metadata address, which is never asked"
    if address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255":
        return "no address of one host"
    if not private and (not address.is_global or any(named in network for network in _LOCAL)):
        return "no public address: allow private addresses in the input if this is meant"
    return ""


def literal_refusal(host: str, *, private: bool) -> str:
    """The same for a host that a proxy will resolve: an address, or a name that everybody knows what it means."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return refusal("127.0.0.1", private=private)
    if name in ("metadata.google.internal", "metadata"):
        return refusal("169.254.169.254", private=private)
    try:
        # What inet_aton reads (0x7f.1, 2130706433) is an address too, though nobody writes it so by chance.
        return refusal(socket.inet_ntoa(socket.inet_aton(name)), private=private)
    except OSError:
        pass
    try:
        return refusal(name, private=private)
    except ValueError:
        return ""


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inside = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    translated = any(address in network for network in _TRANSLATED)
    if inside is None and (translated or (address in _COMPATIBLE and int(address) > 1)):
        inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inside or address


def _resolved(host: str, port: int, seconds: float) -> List[str]:
    """Ask the resolver, which has no time limit of its own, in a thread that may be left behind."""
    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="resolver").start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise AddressError(f"{host} was not resolved within {seconds:.0f} s: look at this machine's resolver") from None
    if isinstance(found, Exception):
        raise AddressError(f"{host} has no address ({found}): look at the name in the URL") from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))
