"""What is written in the project holds anywhere, not only where it was written."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.architecture.tree import ROOT, tracked_files

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
PRIVATE = re.compile(  # somebody's machine, or where its packages came from
    r"(?<![\w./-])/(?:work|root)/[\w.-]+"
    r"|/(?:home|Users)/[a-z][\w.-]*/[\w.-]+|/tmp/(?!ew-)[\w.-]+/[\w.-]+"
    r"|(?:files\.pythonhosted|pypi)\.org|registry\.npmjs\.org|deb\.debian\.org|--(?:extra-)?index-url"
)
TEXT = {
    ".py",
    ".md",
    ".txt",
    ".in",
    ".toml",
    ".html",
    ".css",
    ".js",
    ".json",
    ".sql",
    ".csv",
    ".cfg",
    ".svg",
    ".typ",
    "",
}


def _documents() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in tracked_files() if path.suffix == ".md"]


@pytest.mark.parametrize("name", _documents())
def test_links_between_documents_lead_somewhere(name: str) -> None:
    document = ROOT / name
    text = re.sub(r"```.*?```|`[^`]*`", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = [
        link
        for link in LINK.findall(text)
        if "://" not in link and not link.startswith("mailto:") and not _leads_somewhere(document, link)
    ]
    assert broken == []


def _leads_somewhere(document: Path, link: str) -> bool:
    path, _, heading = unquote(link).partition("#")
    target = (document.parent / path) if path else document
    if not target.exists():
        return False
    if not heading or target.suffix != ".md":
        return True
    titles = re.findall(r"^#+ +(.+?) *$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    here = Path(__file__).name
    found = {
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        if path.suffix in TEXT and path.name != here
        for match in PRIVATE.finditer(path.read_text(encoding="utf-8", errors="replace"))
    }
    assert found == set()
