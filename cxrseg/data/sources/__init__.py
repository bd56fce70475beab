"""Where radiographs come from: one module per collection.

Each module has one function ``cases(config) -> list[Case]`` and an ``ABOUT``. The function lists what there is, cheaply
and in a stable order, without decoding a picture. A picture is decoded when the `image` or one of the `masks` of a case
is called, in the process that prepares that case.
"""

from cxrseg.config import DataConfig
from cxrseg.data.cases import Case
from cxrseg.data.sources import (
    chexmask,
    covid_qu_ex,
    darwin,
    folder,
    jsrt,
    montgomery,
    phantom,
    rsua,
    shenzhen,
    table,
)

SOURCES = {
    "phantom": phantom,
    "rsua": rsua,
    "covid_qu_ex": covid_qu_ex,
    "jsrt": jsrt,
    "montgomery": montgomery,
    "shenzhen": shenzhen,
    "darwin": darwin,
    "chexmask": chexmask,
    "folder": folder,
    "csv": table,
}
"""The collections by the name that ``data.source`` gives them."""


def find_cases(config: DataConfig) -> list[Case]:
    """List the cases of the source that a `cxrseg.config.DataConfig` names.

    Raises
    ------
    ValueError
        The source cannot be read as a whole: nothing there, not an archive, another layout.
    """
    return SOURCES[config.source].cases(config)
