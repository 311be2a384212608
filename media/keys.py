"""Keys by which titles and names are recognised again. Pure: no Django, no I/O."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import date


def digest(text: str) -> str:
    """A short, fixed-length stand-in for a text of any length: 32 hex digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def fingerprint(title_hash: str, day: date | None) -> str:
    """Identity of a viewing within one user's library (rule 6).

    `title_hash` is the digest of the title key, `day` the date as the file writes it; None for
    a viewing marked by hand without a day.
    """
    return digest(f"{title_hash}{day.isoformat() if day else ''}")


def typed_key(name: str) -> str:
    """The key of a series' name that a person typed; for plain names the one a file gives."""
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()
