"""Sentences about a file are kept as templates and put into the language of who reads them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.utils import translation

from imports import reading
from imports.importing import run, submit
from imports.models import ImportProblem, State
from imports.parts import kept
from imports.reading import Message
from imports.sentences import SENTENCES
from imports.tests.making import history
from media.sentences import in_words


@pytest.fixture
def user(make_user):
    return make_user("ana")


MAKERS = {"Message", "unreadable", "_found", "_movie", "_episode"}


@pytest.fixture
def german(monkeypatch):
    """German with sentences of its own, whatever the catalogue has."""
    texts = {
        "Dates are read as %(order)s: '%(example)s' can be nothing else.": (
            "Tage sind als %(order)s gelesen, denn „%(example)s“ kann nichts anderes sein."
        ),
        "day/month/year": "Tag/Monat/Jahr",
        "%(order)s: watched from %(first)s to %(last)s": "%(order)s: vom %(first)s bis %(last)s",
        "This row has no date.": "Diese Zeile hat keinen Tag.",
    }
    monkeypatch.setattr("media.sentences.gettext", lambda text: texts.get(text, text))
    with translation.override("de"):
        yield


def said(source: str) -> Iterator[str]:
    """What looks like a sentence for a person in a module."""
    tree = ast.parse(source)
    described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in MAKERS and isinstance(node.args[0].value, str):
                yield node.args[0].value
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in described
            and re.fullmatch(r"[^\\|]*\w [^\\|]*[.?]", node.value)
        ):
            yield node.value


def test_every_sentence_of_the_reader_is_there_to_be_translated():
    folder = Path(inspect.getfile(reading)).parent
    found = {text for file in folder.glob("*.py") for text in said(file.read_text())}
    assert len(found) > 50
    assert found - set(SENTENCES) == set()
    assert set(SENTENCES) - found == set()


def test_messages_within_messages_and_days_are_in_the_language(german):
    order = Message("day/month/year")
    values = {"order": order, "example": "18/06/20"}
    reason = Message("Dates are read as %(order)s: '%(example)s' can be nothing else.", values)
    assert in_words(kept(reason)) == (
        "Tage sind als Tag/Monat/Jahr gelesen, denn „18/06/20“ kann nichts anderes sein."
    )
    span = {"order": order, "first": date(2020, 6, 1), "last": date(2020, 6, 18)}
    label = Message("%(order)s: watched from %(first)s to %(last)s", span)
    assert in_words(kept(label)) == "Tag/Monat/Jahr: vom 1. Juni 2020 bis 18. Juni 2020"


def test_what_an_older_version_kept_stays_readable(german):
    assert in_words(None, "This row has no date.") == "Diese Zeile hat keinen Tag."
    assert in_words(None, "Dates: 100% sure.") == "Dates: 100% sure."
    assert in_words("Whose do you want?") == "Whose do you want?"
    assert in_words(None) == ""


def test_values_from_files_are_never_templates():
    reason = Message("'%(date)s' is no date.", {"date": "%(date)s %(x)9s \0"})
    assert in_words(kept(reason)) == "'%(date)s %(x)9s ' is no date."


@pytest.mark.django_db
def test_the_page_of_an_import_says_all_in_the_language(client, user, german):
    client.force_login(user)
    rows = history(("Dark: Season 1: Secrets", "18/06/20"), ("Roma", ""))
    done = submit(user, "NetflixViewingHistory.csv", rows)
    run(done.pk)
    done.refresh_from_db()
    assert done.date_reason.startswith("Dates are read as day/month/year")
    html = client.get(done.get_absolute_url(), HTTP_ACCEPT_LANGUAGE="de").text
    assert "Tage sind als Tag/Monat/Jahr gelesen" in html
    assert "Diese Zeile hat keinen Tag." in html


@pytest.mark.django_db
def test_a_question_is_asked_in_the_language(client, user, german):
    client.force_login(user)
    rows = history(("Roma", "3/4/20"), ("Okja", "5/6/20"), ("Klaus", "7/2/20"))
    asked = submit(user, "NetflixViewingHistory.csv", rows)
    run(asked.pk)
    asked.refresh_from_db()
    assert asked.state == State.NEEDS_ANSWER
    html = client.get(asked.get_absolute_url(), HTTP_ACCEPT_LANGUAGE="de").text
    assert "Tag/Monat/Jahr: vom " in html


@pytest.mark.django_db
def test_problems_of_older_imports_are_shown(client, user):
    client.force_login(user)
    old = submit(user, "NetflixViewingHistory.csv", history(("Roma", "")))
    run(old.pk)
    ImportProblem.objects.update(message=None, reason="Because it was so.")
    assert "Because it was so." in client.get(old.get_absolute_url()).text
