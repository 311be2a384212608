"""Taking uploaded files without letting them grow beyond what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.translation import gettext as _

from accounts.limits import allow
from accounts.models import User
from imports.importing import ImportOptions, Refused, start, submit
from imports.models import Import

# Each is kept for a while, and a stranger's account shall not fill the disk.
FILES_PER_HOUR = 60


class BoundedUpload(FileUploadHandler):
    """Drops what a file has beyond IMPORT_MAX_BYTES, so that it fills neither disk nor memory.

    A little more than allowed is kept: by that the form sees that the file is too large.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data if start <= settings.IMPORT_MAX_BYTES else None

    def file_complete(self, file_size: int) -> None:
        return None


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The imports that began, and why the other files were refused."""

    imports: tuple[Import, ...]
    refusals: tuple[str, ...]


def hand_in(user: User, files: Sequence[UploadedFile[bytes]], options: ImportOptions) -> HandedIn:
    """Keep the files and have them imported in the background."""
    imports: list[Import] = []
    refusals: list[str] = []
    active = set(Import.objects.of(user).active().values_list("pk", flat=True))
    for file in files:
        name = file.name or ""
        if not allow(f"import:{user.pk}", FILES_PER_HOUR, 3600):
            refusals.append(
                _("%(name)s: too many files within an hour. Hand it in later.") % {"name": name}
            )
            continue
        try:
            new = submit(user, name, file.read(), options)
        except Refused as refusal:
            refusals.append(f"{name}: {refusal}")
            continue
        if new.pk not in active:
            start(new)
            active.add(new.pk)
        imports.append(new)
    return HandedIn(tuple(imports), tuple(refusals))
