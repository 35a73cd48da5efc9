"""The templates of the pages, which escape whatever they are given."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from rag import texts
from rag.french.dates import format_date
from rag.french.words import excerpt
from rag.markup import is_web_address

_GRADIO_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})


def rendered(template: str, **values: object) -> str:
    """Return a template filled in, without signs of Gradio's own templates."""
    return fragment(template, **values).translate(_GRADIO_SIGNS)


def fragment(template: str, **values: object) -> str:
    """Return a template filled in, as another page than Gradio's takes it."""
    return _TEMPLATES.get_template(template).render(values)


def environment() -> Environment:
    """Return what fills the templates of this folder, for a page with filters of its own."""
    return Environment(
        loader=PackageLoader("rag.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


_TEMPLATES = environment()
_TEMPLATES.globals["texts"] = texts
_TEMPLATES.tests["web_address"] = is_web_address
_TEMPLATES.filters |= {
    "excerpt": excerpt,
    "french_date": format_date,
    "label": texts.label,
    "cited": texts.cited,
}
