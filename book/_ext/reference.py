"""Say in the reference what each key of a study means, and leave out what a class inherits from its library.

Left out are the fields of a named tuple, each of which autodoc would list as an "alias", and pydantic's
``model_config``.
"""

from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from sphinx.application import Sphinx


def skip(app: Sphinx, what: str, name: str, member: object, skipped: bool, options: object) -> bool | None:
    """Return True for a member to leave out, and None to let autodoc decide."""
    return True if name == "model_config" or type(member).__name__ == "_tuplegetter" else None


def explain(app: Sphinx, what: str, name: str, member: object, options: object, lines: list[str]) -> None:
    """Add to the docstring of a section of a study what its keys mean and which words they take."""
    if what != "class" or not issubclass(member, BaseModel):
        return
    lines.append("")
    for key, field in member.model_fields.items():
        if field.description:
            words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
            listed = f" ({', '.join(f'``{word}``' for word in words)})" if words else ""
            lines.append(f":param {key}: {field.description}{listed}")


def setup(app: Sphinx) -> dict:
    """Register both with autodoc."""
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", explain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
