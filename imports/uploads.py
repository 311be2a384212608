"""Taking uploaded files without letting them grow beyond what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.limits import allow
from accounts.models import User
from imports.importing import ImportOptions, Refused, start, submit
from imports.models import Import

# Each is kept for a while, and a stranger's account shall not fill the disk.
FILES_PER_HOUR = 60
# As large as so many of the largest files may be what is handed in at once.
LARGEST_AT_ONCE = 4


class NoFiles(FileUploadHandler):
    """Ends a request that brings files where none are asked for.

    Django would keep them on disk, whatever their size, before it looks who sends them.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class BoundedUpload(FileUploadHandler):
    """Drops what a file has beyond IMPORT_MAX_BYTES, so that it fills neither disk nor memory.

    A little more than allowed is kept: by that the form sees that the file is too large.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data if start <= settings.IMPORT_MAX_BYTES else None

    def file_complete(self, file_size: int) -> None:
        return None


def take_files(request: HttpRequest) -> None:
    """Let this request bring files; to be called before anything reads it."""
    kinds = (BoundedUpload, MemoryFileUploadHandler, TemporaryFileUploadHandler)
    request.upload_handlers = [kind(request) for kind in kinds]


def brings_too_much(request: HttpRequest) -> bool:
    """Whether all files of a request together are too large, by what it says of itself."""
    size = request.headers.get("Content-Length", "")
    return size.isdecimal() and int(size) > LARGEST_AT_ONCE * settings.IMPORT_MAX_BYTES


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The imports that began, and why the other files were refused."""

    imports: tuple[Import, ...]
    refusals: tuple[str, ...]


def hand_in(
    user: User,
    files: Sequence[UploadedFile[bytes]],
    options: ImportOptions,
    *,
    preview_first: bool = False,
) -> HandedIn:
    """Keep the files and have them imported in the background, or only previewed."""
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
            new = submit(user, name, file.read(), options, preview_first=preview_first)
        except Refused as refusal:
            refusals.append(f"{name}: {refusal}")
            continue
        if new.pk not in active:
            start(new)
            active.add(new.pk)
        imports.append(new)
    return HandedIn(tuple(imports), tuple(refusals))
