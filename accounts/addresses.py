"""From which network address a request comes."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The visitor's address; None where there is none, as in a task.

    Behind TRUSTED_PROXY_COUNT proxies it is the one that the outermost of them saw. What stands
    left of it in X-Forwarded-For, and the whole header without proxies, anybody may have written.
    """
    found = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXY_COUNT:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        found = seen[-min(settings.TRUSTED_PROXY_COUNT, len(seen))].strip() or found
    try:
        address = ip_address(found)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


def client_network(request: HttpRequest) -> str | None:
    """The address to count failures by: of IPv6 the first 48 bits.

    Providers give one line up to as much, which is 65,536 networks (RFC 6177).
    """
    address = client_address(request)
    if address is None or ":" not in address:
        return address
    return str(IPv6Address(int(IPv6Address(address)) >> 80 << 80))
