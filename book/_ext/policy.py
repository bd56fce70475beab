"""Write into every page what it may load: its own files, and nothing else (Content Security Policy Level 3).

Scripts within a page run only if their digest is listed, which is so for those of the theme, and never for one that
stands in the output of a notebook. A page that needs more says so itself, in ``html_meta`` at its head::

    policy: "script-src blob: 'wasm-unsafe-eval'"

For a page that is opened from a file, browsers take ``'self'`` to be any file of that machine.
"""

import base64
import hashlib

from bs4 import BeautifulSoup

ALLOWED = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
}


def protect(page: BeautifulSoup) -> None:
    """Put the policy at the top of a page, in place of any that is there.

    A handler that is written into an element cannot be allowed without allowing it everywhere. The theme has one, which
    prints; the script of the book does so instead.
    """
    for button in page.select("[onclick='window.print()']"):
        del button["onclick"]
        button["data-print"] = ""
    policy = {name: list(sources) for name, sources in ALLOWED.items()}
    for script in page.select("script:not([src])"):
        if not script.find_parent(class_="cell_output") and script.string:
            source = f"'sha256-{digest(script.string)}'"
            policy["script-src"] += [source] * (source not in policy["script-src"])
    for wish in page.select("head > meta[name=policy]"):
        for directive in wish["content"].split(";"):
            name, *sources = directive.split()
            policy.setdefault(name, []).extend(sources)
        wish.decompose()
    for old in page.select("meta[http-equiv='Content-Security-Policy']"):
        old.decompose()
    content = "; ".join(" ".join([name, *sources]) for name, sources in policy.items())
    # After the declaration of the encoding, which has to be among the first bytes, and before anything that loads.
    page.head.find("meta", charset=True).insert_after(
        page.new_tag("meta", attrs={"http-equiv": "Content-Security-Policy", "content": content})
    )


def digest(script: str) -> str:
    """Return the SHA-256 digest of a script's text, in base64, as a policy names it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
