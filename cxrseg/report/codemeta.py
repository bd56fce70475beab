"""Write ``codemeta.json`` from ``pyproject.toml`` and ``CITATION.cff``: ``python -m cxrseg.report.codemeta``.

Archives and search engines for software read it. Its terms are those of CodeMeta 3.0, https://w3id.org/codemeta/3.0.
"""

import json
import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def codemeta(root: Path = ROOT) -> dict:
    """Return what ``codemeta.json`` holds."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    version = re.search(r'^__version__ = "(.*)"', (root / "cxrseg" / "__init__.py").read_text(encoding="utf-8"), re.M)
    kinds = {"data": "Dataset", "article": "ScholarlyArticle"}
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": project["name"],
        "description": project["description"],
        "version": version[1],
        "license": f"https://spdx.org/licenses/{project['license']}",
        "author": [{"@type": "Organization", "name": author["name"]} for author in project["authors"]],
        "keywords": project["keywords"],
        "programmingLanguage": "Python",
        "runtimePlatform": f"Python {project['requires-python']}",
        "softwareRequirements": [re.match(r"[\w.-]+\S*", line)[0] for line in project["dependencies"]],
        "citation": [
            {"@type": kinds[work["type"]], "@id": f"https://doi.org/{work['doi']}", "name": work["title"]}
            for work in citation["references"]
        ],
    }


if __name__ == "__main__":
    (ROOT / "codemeta.json").write_text(json.dumps(codemeta(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
