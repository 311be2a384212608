from __future__ import annotations

from django.urls import path

from imports import views

app_name = "imports"
urlpatterns = [
    path("", views.history, name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/rows/", views.rows, name="rows"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/answer/", views.answers, name="answer"),
    path("<int:pk>/act/", views.act, name="act"),
    path("<int:pk>/undo/", views.undo, name="undo"),
    path("<int:pk>/problems.csv", views.problems, name="problems"),
]
