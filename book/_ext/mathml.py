"""Render formulae as native MathML, which needs no script, font or network and is readable by screen readers."""

from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}

logger = logging.getLogger(__name__)


def to_mathml(latex: str, display: str) -> str:
    """Convert LaTeX to one ``<math>`` element.

    Raises
    ------
    ValueError
        The formula contains an unknown or an incomplete command. The converter itself accepts both without
        an error: it writes an unknown command as text, and a fraction with one part.
    """
    try:
        mathml = convert(latex, display=display)
        tree = ElementTree.fromstring(mathml)
    except Exception as error:  # the converter has a dozen exception classes without a common base class
        raise ValueError(f"{type(error).__name__} in the formula {latex!r}") from error
    for element in tree.iter():
        tag = element.tag.rpartition("}")[2]
        if "\\" in (element.text or ""):
            raise ValueError(f"unknown command {element.text!r} in the formula {latex!r}")
        if len(element) != CHILDREN.get(tag, len(element)):
            raise ValueError(f"incomplete {tag} in the formula {latex!r}")
    return mathml


def _checked(node: nodes.Element, display: str) -> str:
    try:
        return to_mathml(node.astext().strip(), display)
    except ValueError as error:
        logger.warning("mathml: %s", error, location=node)
        return "<code>" + node.astext().replace("&", "&amp;").replace("<", "&lt;") + "</code>"


def visit_inline(translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(_checked(node, "inline"))
    raise nodes.SkipNode


def visit_block(translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, numbered where it has a label."""
    translator.body.append(translator.starttag(node, "div", CLASS="math-block"))
    translator.body.append(_checked(node, "block"))
    if node.get("number"):
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})</span>')
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict:
    """Register the renderer as ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
