"""Whether a host is this machine's loopback: the sandbox talks to nothing else."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return True for localhost, 127.0.0.0/8 and ::1; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
