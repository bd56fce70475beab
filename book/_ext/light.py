"""Leave out what no reader loads, and pack the pictures.

The theme brings its icons twice. The font, of which a page loads one file, takes the place of a script of 1.5 MB.
"""

import io
from pathlib import Path
from xml.etree import ElementTree

from bs4 import BeautifulSoup
from PIL import Image

UNUSED = (
    "**/*.map",
    "_static/*macros.html",
    "_static/images/logo_*",
    "_static/locales/**/*",
    "_static/scripts/fontawesome.*",
    "_static/vendor/fontawesome/webfonts/*.ttf",
    "_static/vendor/fontawesome/webfonts/fa-brands-*",
    "_static/vendor/fontawesome/webfonts/fa-regular-*",
)
"""What Sphinx and the theme copy into every book, and no page of this one asks for."""

SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
"""The page of search results needs these; the field on the other pages leads to it."""

QUALITY = 90


def remove_unused(folder: Path) -> None:
    """Remove files that no page loads, and the folders that this empties."""
    for file in {file for pattern in UNUSED for file in folder.glob(pattern) if file.is_file()}:
        file.unlink()
    for below in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(below.iterdir()):
            below.rmdir()


def pack(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Write each PNG of a folder as WebP, and remove it.

    Of two ways the smaller is taken: without loss, which suits charts, and with a little, which suits radiographs.

    Returns
    -------
    dict
        Name, width and height, pixels, of the picture to show, by the file name of the original.
    """
    shown = {}
    for file in sorted(folder.glob("*.png")):
        with Image.open(file) as opened:
            opaque = "A" not in opened.getbands() or opened.getchannel("A").getextrema()[0] == 255
            picture = opened.convert("RGB" if opaque else "RGBA")
        packed = min(_webp(picture, lossless=True), _webp(picture, quality=QUALITY), key=len)
        file.with_suffix(".webp").write_bytes(packed)
        file.unlink()
        shown[file.name] = (f"{file.stem}.webp", *picture.size)
    for file in folder.glob("*.svg"):
        *_, width, height = ElementTree.parse(file).getroot().get("viewBox").split()
        shown[file.name] = (file.name, int(width), int(height))
    return shown


def _webp(picture: Image.Image, **how) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", method=4, **how)
    return file.getvalue()


def lighten(page: BeautifulSoup, file: Path, pictures: dict[str, tuple[str, int, int]]) -> None:
    """Load fewer scripts, and show the packed pictures.

    Each has its size, so that the text does not jump, and leads to itself, where a browser can enlarge it.
    """
    for script in page.select("script[src]"):
        name = script["src"].partition("?")[0].rpartition("/")[2]
        if name == "fontawesome.js" or (name in SEARCH and file.name != "search.html"):
            script.decompose()
    for element, attribute in ((element, name) for name in ("src", "href") for element in page.select(f"[{name}]")):
        place, _, name = element[attribute].rpartition("/")
        if place.rpartition("/")[2] == "_images" and name in pictures:
            packed, width, height = pictures[name]
            element[attribute] = f"{place}/{packed}"
            if element.name == "img":
                element.attrs.update(width=width, height=height)
                if element.find_parent("article") and not element.find_parent("a"):
                    element.wrap(page.new_tag("a", attrs={"class": "picture", "href": element["src"]}))
