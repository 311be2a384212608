#!/bin/sh
# Makes .venv and installs what FILE pins, unless that is done already.
# Usage: scripts/install.sh FILE     (PYTHON=/path/to/python chooses the interpreter)
set -eu
cd "$(dirname "$0")/.."
wanted=$1
installed=.venv/installed-$wanted

say() { printf '%s\n' "$*" >&2; }

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
        if command -v "$candidate" >/dev/null 2>&1 && is_recent "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    say "watchlog needs Python 3.11 or newer. Found: $(python3 --version 2>/dev/null || echo no python3)."
    say "Install one - on Debian 12, Ubuntu 24.04 or newer: sudo apt install python3 python3-venv"
    say "- or name it: make run PYTHON=/path/to/python3.11"
    return 1
}

if ! is_recent .venv/bin/python || [ ! -x .venv/bin/pip ]; then
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "Python $version is here, but the part of it that makes virtual environments (venv) is not."
        say "On Debian or Ubuntu install it with: sudo apt install python$version-venv"
        exit 1
    fi
    say "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear .venv
fi

if ! cmp -s "$wanted" "$installed"; then
    say "Installing the packages that $wanted names ..."
    if ! .venv/bin/python -m pip install -qq --disable-pip-version-check \
        --require-hashes -r "$wanted"; then
        say "The packages could not be installed; the lines above say why."
        say "Without internet access? Connect once and run the same command again."
        exit 1
    fi
    cp "$wanted" "$installed"
    # The larger set holds the smaller one in the same versions.
    if [ "$wanted" = requirements-dev.txt ]; then
        cp requirements.txt .venv/installed-requirements.txt
    fi
fi
