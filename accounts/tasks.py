"""What is sent in the background."""

from __future__ import annotations

from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django_tasks import task

from accounts.models import User


@task()
def send_reset_links(user_ids: list[int], site: str, language: str) -> None:
    """Send users a link to set a new password.

    `site` is the address that the link begins with. The page enqueues this for an unknown
    address as well, with nobody to send to, so that it takes as long.
    """
    with translation.override(language):
        for user in User.objects.filter(pk__in=user_ids, is_active=True):
            where = {
                "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
                "token": default_token_generator.make_token(user),
            }
            context = {
                "username": user.get_username(),
                "link": site + reverse("accounts:reset", kwargs=where),
            }
            text = render_to_string("accounts/reset_email.txt", context)
            send_mail(_("Set a new password for watchlog"), text, None, [user.email])
