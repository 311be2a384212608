"""All pages."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from django_tasks_db.models import DBTaskResult

from accounts.access import public
from accounts.lockout import slowed
from imports.history_views import history
from watchlog import views, your_data
from watchlog.health import healthz

# The errors of tasks may quote what somebody watched.
if admin.site.is_registered(DBTaskResult):
    admin.site.unregister(DBTaskResult)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("media.urls")),
    path("imports/", include("imports.urls")),
    path("history/", history, name="history"),
    path("", include("accounts.urls")),
    path("account/download.jsonl", your_data.download, name="download"),
    path("account/download.csv", your_data.download_csv, name="download-csv"),
    path("account/delete/", your_data.delete, name="delete-account"),
    path("about/", views.about, name="about"),
    path("healthz", healthz, name="healthz"),
    path("site.webmanifest", views.manifest, name="manifest"),
    path("favicon.ico", views.favicon, name="favicon"),
    path(f"{settings.ADMIN_PATH}login/", public(slowed(admin.site.login))),
    # One way to change a password, which bounds how often the old one can be guessed.
    path(
        f"{settings.ADMIN_PATH}password_change/",
        RedirectView.as_view(pattern_name="accounts:password"),
    ),
    path(settings.ADMIN_PATH, admin.site.urls),
]

handler500 = "watchlog.views.server_error"
