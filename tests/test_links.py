"""Every link of the pages to a file of the repository leads somewhere; so do links to headings."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("experiments/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def links(page):
    """Where the page's links and pictures lead, outside of code."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    return [target for target in LINK.findall(prose) if not re.match(r"[a-z]+:", target)]


def anchors(page):
    """Headings as GitHub writes them in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_of_the_repository(page):
    broken = []
    for target in links(page):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        missing = not there.exists() or ROOT not in there.parents
        unnamed = anchor and there.suffix == ".md" and not missing and anchor not in anchors(there)
        if missing or unnamed:
            broken.append(target)
    assert not broken


def test_the_gallery_shows_every_picture_of_the_experiments():
    """Pictures of the pages of experiments: a file that no page shows is not in the repository for long."""
    gallery = ROOT / "docs/gallery.md"
    shown = {(gallery.parent / target).resolve() for target in links(gallery)}
    pictures = set(ROOT.glob("experiments/*/*.png"))
    assert {path.parent for path in pictures} == {
        path.parent for path in shown if path.suffix == ".png" and "experiments" in path.parts
    }
    assert shown >= {path.parent / "README.md" for path in pictures}


def test_a_broken_link_would_be_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "[a](nowhere.md) ![b](pictures/none.png) [c](https://example.org) `[d](code.md)`\n# One, two\n"
    )
    assert links(page) == ["nowhere.md", "pictures/none.png"]
    assert anchors(page) == {"one-two"}
