"""Leave out of the reference what a class inherits from its library and what its docstring already says.

These are the fields of a named tuple, each of which autodoc would list as an "alias", and pydantic's ``model_config``.
"""

from sphinx.application import Sphinx


def skip(app: Sphinx, what: str, name: str, member: object, skipped: bool, options: object) -> bool | None:
    """Return True for a member to leave out, and None to let autodoc decide."""
    return True if name == "model_config" or type(member).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict:
    """Register the rule with autodoc."""
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
