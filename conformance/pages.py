"""The project's Markdown: its blocks of code, its links and its anchors."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

FENCE = re.compile(r"^ *```(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block, the line of prose before it, and the heading it is under."""

    page: Path
    line: int
    language: str
    text: str
    before: str
    heading: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    before = heading = ""
    inside: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if opened and fence and not fence[1]:
            found.append(Block(page, *opened, "\n".join(inside), before, heading))
            opened, inside, before = None, [], ""
        elif opened:
            inside.append(line)
        elif fence:
            opened = number, fence[1].strip()
        elif line.startswith("#"):
            heading, before = line.lstrip("#").strip(), ""
        elif line.strip():
            before = line
    assert opened is None, f"{page}: a block without an end"
    return found


def every(*languages: str) -> list[Block]:
    """The blocks of all pages, in some languages or in all."""
    return [block for page in PAGES for block in blocks(page) if not languages or block.language in languages]


def prose(page: Path) -> str:
    """A page without its blocks and code spans, where brackets mean other things."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "`code`", text)


def code_spans(page: Path) -> list[str]:
    """What stands between backticks in a page's prose."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text)


def links(page: Path) -> list[str]:
    """Every target of a link or an image, by `[]()`, by reference or in HTML."""
    text = prose(page)
    inline = re.findall(r"\]\(\s*<?([^)\s>]+)", text)
    references = re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, re.MULTILINE)
    return inline + references + re.findall(r"(?:href|src)=\"([^\"]+)\"", text)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings, and those it sets itself."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        same = [known for known in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", known)]
        found.add(f"{slug}-{len(same)}" if same else slug)
    return found
