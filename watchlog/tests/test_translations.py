"""Every text is there in every language, and the compiled catalogues are those of the sources.

Without gettext's programs: `manage.py makemessages -l de -e html,txt,py,svg --no-location --no-obsolete` finds new
texts, `manage.py compilemessages` makes the compiled catalogue anew; both need them.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils.translation.template import templatize

from media.tests.shelf import add_movie, add_series

PROJECT = Path(__file__).resolve().parents[2]
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
# Which of a call's arguments are texts, and whether the first is a context.
CALLS = {
    "_": (1, False),
    "gettext": (1, False),
    "gettext_lazy": (1, False),
    "gettext_noop": (1, False),
    "ngettext": (2, False),
    "ngettext_lazy": (2, False),
    "pgettext": (2, True),
    "pgettext_lazy": (2, True),
    "npgettext": (3, True),
}
CALL_IN_TEMPLATE = re.compile(r"\b(_|n?p?gettext)\(")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|<[^>]+>")


def catalogue(language: str) -> Path:
    return PROJECT / "locale" / language / "LC_MESSAGES" / "django.po"


def wanted() -> dict[str, str]:
    """The keys of all texts of the program, as catalogues have them, with a file of each."""
    found: dict[str, str] = {}
    for file in sorted(PROJECT.glob("*/**/*.py")):
        parts = file.relative_to(PROJECT).parts
        if (
            parts[0] in ("accounts", "imports", "media", "tmdb", "watchlog")
            and "tests" not in parts
        ):
            found |= dict.fromkeys(keys_of_code(file.read_text()), file.name)
    for file in sorted((PROJECT / "templates").rglob("*.*")):
        found |= dict.fromkeys(keys_of_template(file.read_text()), file.name)
    return found


def keys_of_code(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from key_of_call(node.func.id, node.args)


def keys_of_template(source: str) -> Iterator[str]:
    code = templatize(source)
    for call in CALL_IN_TEMPLATE.finditer(code):
        end = code.index("(", call.start())
        while True:
            end = code.index(")", end + 1)
            try:
                node = ast.parse(code[call.start() : end + 1], mode="eval").body
            except SyntaxError:
                continue
            assert isinstance(node, ast.Call)
            yield from key_of_call(call[1], node.args)
            break


def key_of_call(name: str, arguments: list[ast.expr]) -> Iterator[str]:
    if name not in CALLS:
        return
    count, has_context = CALLS[name]
    texts = [
        argument.value
        for argument in arguments[:count]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    if len(texts) == count and texts[-1]:
        yield "\x04".join(texts[:2]) if has_context else texts[0]


def entries(po: Path) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
    """Key, texts, translations, and whether it is fuzzy, of each entry of a catalogue."""
    for block in po.read_text().split("\n\n")[1:]:
        parts: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
            parts[name] = parts.get(name, "") + ast.literal_eval(line)
        key = parts["msgid"]
        if "msgctxt" in parts:
            key = f"{parts['msgctxt']}\x04{key}"
        texts = tuple(parts[part] for part in ("msgid", "msgid_plural") if part in parts)
        translations = tuple(parts[part] for part in sorted(parts) if part.startswith("msgstr"))
        yield key, texts, translations, "fuzzy" in block.partition("msgid")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_its_translation(language):
    there = {key for key, _, translations, _ in entries(catalogue(language)) if all(translations)}
    assert len(there) > 500
    assert {key: file for key, file in wanted().items() if key not in there} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over_or_only_guessed(language):
    found, known = list(entries(catalogue(language))), wanted()
    assert [key for key, *_, is_fuzzy in found if is_fuzzy] == []
    assert [key for key, *_ in found if key not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_source(language):
    po = catalogue(language)
    with po.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    stale = []
    for key, texts, translations, _ in entries(po):
        context, _, text = key.rpartition("\x04")
        now: tuple[str, ...]
        if len(texts) == 1:
            now = (compiled.pgettext(context, text) if context else compiled.gettext(text),)
        else:
            now = tuple(
                compiled.npgettext(context, text, texts[1], number)
                if context
                else compiled.ngettext(text, texts[1], number)
                for number in (1, 2)
            )
        if now != translations:
            stale.append(key)
    assert stale == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_places_for_values_and_the_same_markup(language):
    wrong = []
    for key, texts, translations, _ in entries(catalogue(language)):
        for text, translation in zip(texts, translations, strict=True):
            if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(translation)):
                wrong.append(key)
    assert wrong == []


def test_texts_are_found_in_code_and_templates():
    assert set(keys_of_code('_("a" "b"); ngettext("c", "d", n); pgettext("e", "f"); _(x)')) == {
        "ab",
        "c",
        "e\x04f",
    }
    template = (
        "{% load i18n %}{% translate 'It’s (a)' %}"
        "{% blocktranslate count n=1 %}{{ n }} b{% plural %}{{ n }} c{% endblocktranslate %}"
    )
    assert set(keys_of_template(template)) == {"It’s (a)", "%(n)s b"}


@pytest.mark.django_db
def test_pages_are_in_the_language_of_the_browser_or_the_chosen_one(client, make_user):
    user = make_user("ana")
    assert "Anmelden" in client.get(reverse("accounts:login"), HTTP_ACCEPT_LANGUAGE="de").text
    client.force_login(user)
    add_series(user, "Dark", [10, 8], 12)
    add_movie(user, "Roma")
    html = client.get("/", HTTP_ACCEPT_LANGUAGE="de-AT,de;q=0.9").text
    assert "12/18 Folgen" in html and '<html lang="de"' in html
    assert "12/18 episodes" in client.get("/", HTTP_ACCEPT_LANGUAGE="fr").text
    user.language = "de"
    user.save()
    assert "12/18 Folgen" in client.get("/", HTTP_ACCEPT_LANGUAGE="en").text
    user.language = "en"
    user.save()
    assert "12/18 episodes" in client.get("/", HTTP_ACCEPT_LANGUAGE="de").text
