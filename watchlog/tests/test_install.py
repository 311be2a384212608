"""What make run says on machines that lack something. Stand-ins play the Pythons of others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TOO_OLD = """#!/bin/sh
case "$*" in *--version*) echo "Python 3.9.2" ;; *) exit 1 ;; esac
"""
WITHOUT_VENV = f"""#!/bin/sh
case "$*" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac
"""


@pytest.fixture
def install(tmp_path):
    """install(python) runs the script where `python` is the only python3, and no other."""
    project, programs = tmp_path / "project", tmp_path / "bin"
    (project / "scripts").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(PROJECT / "scripts" / "install.sh", project / "scripts")
    shutil.copy(PROJECT / "requirements.txt", project)
    for program in ("sh", "dirname", "cmp", "cp"):
        (programs / program).symlink_to(str(shutil.which(program)))

    def run(python=None):
        if python:
            (programs / "python3").write_text(python)
            (programs / "python3").chmod(0o755)
        done = subprocess.run(
            ["sh", str(project / "scripts" / "install.sh"), "requirements.txt"],
            env={"PATH": str(programs)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 1
        assert not (project / ".venv").exists()
        return done.stderr

    return run


def test_an_older_python_is_said_plainly(install):
    said = install(TOO_OLD)
    assert "watchlog needs Python 3.11 or newer. Found: Python 3.9.2." in said
    assert "apt install python3" in said


def test_no_python_at_all_is_said_plainly(install):
    assert "watchlog needs Python 3.11 or newer. Found: no python3." in install()


def test_a_missing_venv_is_said_plainly(install):
    said = install(WITHOUT_VENV)
    major, minor = sys.version_info[:2]
    assert "venv" in said
    assert f"apt install python{major}.{minor}-venv" in said


def test_a_second_run_installs_nothing(install, tmp_path):
    """With the packages of requirements.txt noted as installed, pip isn't even started."""
    environment = tmp_path / "project" / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / "bin" / "pip").write_text("#!/bin/sh\nexit 1\n")
    (environment / "bin" / "pip").chmod(0o755)
    shutil.copy(PROJECT / "requirements.txt", environment / "installed-requirements.txt")
    done = subprocess.run(
        ["sh", str(tmp_path / "project" / "scripts" / "install.sh"), "requirements.txt"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
