"""Give the theme's controls the names that a screen reader needs."""

from bs4 import BeautifulSoup


def mend(page: BeautifulSoup) -> None:
    """Name what has no name, and let a name be the text that is seen (WCAG 2.2, 2.5.3 and 4.1.2)."""
    for summary in page.select("li.has-children > details > summary"):
        link = summary.find_parent("li").find("a")
        summary["aria-label"] = f"Pages under {link.get_text(' ', strip=True)}"
    for control in page.select("details.hide > summary, .search-button-field"):
        control.attrs.pop("aria-label", None)
    for icon in page.select("[class*='fa-'], .search-button__kbd-shortcut"):
        icon["aria-hidden"] = "true"
    # A list may hold list items only, and these are entries of a bibliography with links back to the text.
    for entries in page.select(".citation-list[role=list]"):
        del entries["role"]
