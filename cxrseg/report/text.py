"""Show names from outside, those of classes, cases and files, as the text that they are, whatever they contain."""

import re

import pandas as pd
from pandas.io.formats.style import Styler


def markdown(name: str) -> str:
    r"""Return Markdown that shows a text as it is.

    CommonMark lets a backslash stand before any ASCII punctuation, and then shows the character. Neither markup, HTML,
    a formula nor a role can therefore begin.

    Examples
    --------
    >>> print(markdown("a|b *c*"))
    a\|b \*c\*
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(name.split()))


def table(frame: pd.DataFrame, **form) -> Styler:
    """Return a table whose cells and headings are escaped, unlike those of pandas' own Styler.

    Parameters
    ----------
    frame : DataFrame
    **form
        For ``Styler.format``, as ``precision=3``.
    """
    styled = frame.style.format(escape="html", **form).set_table_attributes(
        'class="dataframe tex2jax_ignore mathjax_ignore"'
    )
    return styled.format_index(escape="html", axis=0).format_index(escape="html", axis=1)
