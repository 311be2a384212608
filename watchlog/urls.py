"""All pages."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.access import public
from watchlog import views
from watchlog.health import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("media.urls")),
    path("imports/", include("imports.urls")),
    path("", include("accounts.urls")),
    path("about/", views.about, name="about"),
    path("healthz", healthz, name="healthz"),
    path("site.webmanifest", views.manifest, name="manifest"),
    path("favicon.ico", views.favicon, name="favicon"),
    path(f"{settings.ADMIN_PATH}login/", public(admin.site.login)),
    path(settings.ADMIN_PATH, admin.site.urls),
]
