from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from media import api, attention_views, marking_views, posters, statistics_views, views


class EpisodeConverter(StringConverter):
    """The key of a line on a series' page."""

    regex = r"[tv][0-9]{1,15}"


register_converter(EpisodeConverter, "episode")
register_converter(statistics_views.YearConverter, "year")
register_converter(posters.SizeConverter, "poster_size")
register_converter(posters.NameConverter, "poster_name")

app_name = "media"
urlpatterns = [
    path("", views.library, name="library"),
    path("posters/<poster_size:size>/<poster_name:name>", posters.poster, name="poster"),
    path("look-up/", views.look_up, name="look-up"),
    path("entry/<int:pk>/", views.entry, name="entry"),
    path("entry/<int:pk>/mark/", marking_views.mark, name="mark"),
    path("entry/<int:pk>/episode/<episode:key>/", marking_views.episode, name="episode"),
    path("entry/<int:pk>/viewing/<int:viewing_pk>/", marking_views.viewing, name="viewing"),
    path("entry/<int:pk>/fix/", attention_views.fix, name="fix"),
    path("entry/<int:pk>/match/", attention_views.match, name="match"),
    path("entry/<int:pk>/act/", attention_views.act, name="act"),
    path("entry/<int:pk>/series/", attention_views.make_series, name="make-series"),
    path("entry/<int:pk>/movies/", attention_views.make_movies, name="make-movies"),
    path("entry/<int:pk>/split/", attention_views.split, name="split"),
    path("entry/<int:pk>/merge/", attention_views.merge, name="merge"),
    path("entry/<int:pk>/ask-again/", attention_views.ask_again, name="ask-again"),
    path("attention/", attention_views.attention_list, name="attention"),
    path("attention/confirm/", attention_views.confirm, name="confirm"),
    path("attention/read/", attention_views.read_titles, name="read-titles"),
    path("attention/decided/", attention_views.decided, name="decided"),
    path("attention/undo/<int:pk>/", attention_views.undo, name="undo"),
    path("statistics/", statistics_views.statistics, name="statistics"),
    path("statistics/<year:year>/", statistics_views.year, name="year"),
    path("statistics/<year:year>.svg", statistics_views.picture, name="year-picture"),
    path("api/media/", api.media_list, name="api"),
]
