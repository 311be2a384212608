"""The layers hold: imports -> media -> tmdb, never back, and reading files stays pure."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# What the code of each app may import of the others.
ALLOWED = {
    "accounts": set(),
    "tmdb": set(),
    "media": {"accounts", "tmdb"},
    "imports": {"accounts", "media", "tmdb"},
}
IMPURE = {"django", "os", "requests", "shutil", "socket", "sqlite3", "subprocess"}


def code_of(folder):
    """The program's own modules below a folder, without tests and migrations."""
    return [
        file
        for file in sorted((PROJECT / folder).rglob("*.py"))
        if not {"tests", "migrations"} & set(file.relative_to(PROJECT).parts)
    ]


def imported_packages(file):
    """(package, line) of each absolute import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name.split(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], node.lineno


@pytest.mark.parametrize("app", ALLOWED)
def test_an_app_imports_only_the_layers_below_it(app):
    forbidden = set(ALLOWED) - ALLOWED[app] - {app}
    assert code_of(app)
    assert [
        f"{file.relative_to(PROJECT)}:{line} imports {package}"
        for file in code_of(app)
        for package, line in imported_packages(file)
        if package in forbidden
    ] == []


def test_no_module_climbs_out_of_its_app_by_relative_imports():
    def climbs(file):
        depth = len(file.relative_to(PROJECT).parts) - 1
        return any(
            isinstance(node, ast.ImportFrom) and node.level > depth
            for node in ast.walk(ast.parse(file.read_text()))
        )

    assert [file for app in ALLOWED for file in code_of(app) if climbs(file)] == []


def test_reading_files_imports_nothing_that_reaches_outside():
    assert [
        f"{file.relative_to(PROJECT)}:{line} imports {package}"
        for file in code_of("imports/reading")
        for package, line in imported_packages(file)
        if package in IMPURE | {"accounts", "media", "tmdb", "watchlog"}
    ] == []


def test_reading_files_opens_none():
    def opens(file):
        return [
            node.lineno
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Name) and node.id in {"open", "print", "input", "Path"}
        ]

    assert {file: lines for file in code_of("imports/reading") if (lines := opens(file))} == {}


def test_reading_files_works_without_django():
    program = "import sys, imports.reading; assert 'django' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env={}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
