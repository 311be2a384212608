"""What holds for all browser tests."""

from __future__ import annotations

from playwright.sync_api import expect

# Its own default, 5 seconds, is too short where several things run on a small machine at once.
expect.set_options(timeout=30_000)
