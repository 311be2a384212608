"""Leaving: the whole of somebody's data as a file, and then nothing of it left here."""

from __future__ import annotations

from accounts.models import User
from imports.importing import cancel
from imports.models import Claim, Import
from media.library import library_lock
from media.models import EntryName, LibraryEntry, Media, Viewing

CHUNK = 5000


def delete_account(user: User) -> None:
    """Delete a user with everything of theirs; the shared catalogue stays.

    In chunks, as every long write (rule 19); `user.delete()` alone does the same in one
    transaction. An interrupted deletion leaves an account with less in it, which can be deleted
    again.
    """
    for running in Import.objects.of(user).active():
        cancel(running)
    while _delete_viewings(user.pk):
        pass
    with library_lock(user.pk):
        EntryName.objects.filter(user=user).delete()
        LibraryEntry.objects.filter(user=user).delete()
        Media.objects.filter(owner=user).delete()
    for of_import in Import.objects.of(user).only("pk"):
        of_import.delete()
    # What sums up statistics takes the lock before their rows, and so must this.
    with library_lock(user.pk):
        user.delete()


def _delete_viewings(user_id: int) -> bool:
    """Delete some of a user's viewings; whether there were any."""
    with library_lock(user_id):
        some = list(
            Viewing.objects.filter(user_id=user_id).order_by("pk").values_list("pk")[:CHUNK]
        )
        ids = [pk for (pk,) in some]
        Claim.objects.filter(viewing__in=ids).delete()
        Viewing.tmdb_episodes.through.objects.filter(viewing__in=ids).delete()
        Viewing.objects.filter(pk__in=ids).delete()
    return bool(ids)


def is_last_administrator(user: User) -> bool:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return user.is_superuser and not others.exists()
