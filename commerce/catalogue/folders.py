"""A folder's path as text that any database can keep, and back.

A path may hold bytes that are no UTF-8 (a folder named on an old system), which no database takes.
"""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

_URI = "file://"


def text_of(folder: Path) -> str:
    """The path itself, or a ``file://`` address when it is not proper Unicode.

    Args:
        folder: Absolute.
    """
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        return folder.as_uri()
    return str(folder)


def path_of(text: str) -> Path:
    """The folder that ``text_of`` wrote down."""
    if not text.startswith(_URI):
        return Path(text)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_URI))))
