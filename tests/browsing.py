"""The browser that tests of pages use."""

import os
import shutil

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """A Chromium on this machine: what VEDIT_CHROMIUM names, or one on the path."""
    return os.environ.get("VEDIT_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
