from __future__ import annotations

from django.urls import path

from media import api, views

app_name = "media"
urlpatterns = [
    path("", views.library, name="library"),
    path("look-up/", views.look_up, name="look-up"),
    path("entry/<int:pk>/", views.entry, name="entry"),
    path("api/media/", api.media_list, name="api"),
]
