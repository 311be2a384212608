"""Links within the documentation lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [
    PROJECT / "README.md",
    PROJECT / "CHANGELOG.md",
    PROJECT / "SECURITY.md",
    *sorted((PROJECT / "docs").glob("*.md")),
]


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_documentation_lead_somewhere(page):
    broken = []
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text()):
        name, _, section = target.partition("#")
        linked = page.parent / name if name else page
        headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.M) if section else []
        if not linked.exists() or (section and section not in map(anchor, headings)):
            broken.append(target)
    assert broken == []


def test_every_page_of_the_documentation_is_reached_from_the_readme():
    readme = (PROJECT / "README.md").read_text()
    pages = {page.relative_to(PROJECT).as_posix() for page in PAGES[2:]}
    assert {page for page in pages if f"]({page})" not in readme} == set()


def test_every_dependency_has_its_line():
    wanted = {line.strip() for line in (PROJECT / "requirements.in").read_text().splitlines()}
    names = {re.split(r"[<>=]", line)[0] for line in wanted if line}
    table = (PROJECT / "docs" / "dependencies.md").read_text()
    assert set(re.findall(r"^\| ([a-z][\w.\[\]-]*) \|", table, re.M)) == names


@pytest.mark.parametrize("page", ["security.md", "reliability.md"])
def test_the_tests_that_hold_a_promise_exist(page):
    table = (PROJECT / "docs" / page).read_text()
    rows = re.findall(r"^\| (?!---|Promise|Attack)(.+) \| (.+) \|$", table, re.M)
    assert len(rows) > 4
    for promise, tests in rows:
        named = re.findall(r"`([^`]+)`", tests)
        assert named, promise
        assert [name for name in named if not is_a_test(name)] == []


def is_a_test(name):
    """Whether `path`, `path::test_name` or `path::TestClass::test_name` exists."""
    path, *inside = name.split("::")
    file = PROJECT / path
    text = file.read_text() if file.is_file() else ""
    return bool(text) and all(re.search(rf"^ *(def|class) {part}\b", text, re.M) for part in inside)


def test_every_dependency_is_pinned_with_hashes():
    text = (PROJECT / "requirements.txt").read_text()
    pinned = re.findall(r"^[\w.\[\]-]+==[\w.]+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(pinned) == len(re.findall(r"^\w", text, re.M)) > 10
