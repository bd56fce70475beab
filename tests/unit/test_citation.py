"""What machines read of the repository, CITATION.cff and codemeta.json: against their formats, and the facts."""

import json
import re
import tomllib

import yaml
from packaging.requirements import Requirement
from support import ROOT

import cxrseg
from cxrseg.report import codemeta

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
CODEMETA = json.loads((ROOT / "codemeta.json").read_text())

WORKS = {  # a selection of the types of references that Citation File Format 1.2.0 knows
    "article", "book", "conference-paper", "data", "database", "report", "software", "software-code", "thesis",
    "website",
}  # fmt: skip
TERMS = {  # of CodeMeta 3.0, as far as they may be of use here
    "name", "description", "version", "license", "author", "keywords", "programmingLanguage", "runtimePlatform",
    "softwareRequirements", "citation", "codeRepository", "datePublished", "developmentStatus", "referencePublication",
}  # fmt: skip


def test_citation_has_what_its_format_requires():
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["message"] and CITATION["title"] and CITATION["authors"]
    assert CITATION["type"] in ("software", "dataset")
    for work in CITATION["references"]:
        assert work["type"] in WORKS and work["title"] and work["authors"]
        assert re.fullmatch(r"10\.\d{4,9}/\S+", work["doi"])


def test_citation_and_project_agree():
    assert CITATION["title"] == f"{PROJECT['name']}: a{PROJECT['description'].removeprefix('A')}"
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["keywords"] == PROJECT["keywords"]
    assert [author["name"] for author in CITATION["authors"]] == [author["name"] for author in PROJECT["authors"]]
    released = re.search(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert CITATION["version"] == released


def test_codemeta_is_of_today():
    assert codemeta.codemeta() == CODEMETA, "run python -m cxrseg.report.codemeta"


def test_codemeta_uses_the_terms_of_its_vocabulary_for_the_facts_of_the_project():
    assert CODEMETA["@context"] == "https://w3id.org/codemeta/3.0"
    assert CODEMETA["@type"] == "SoftwareSourceCode"
    assert CODEMETA.keys() - {"@context", "@type"} <= TERMS
    assert CODEMETA["version"] == cxrseg.__version__
    assert CODEMETA["license"] == "https://spdx.org/licenses/MIT"
    needed = [Requirement(line) for line in CODEMETA["softwareRequirements"]]
    assert {one.name for one in needed} == {Requirement(line).name for line in PROJECT["dependencies"]}
    dois = {f"https://doi.org/{work['doi']}" for work in CITATION["references"]}
    assert {work["@id"] for work in CODEMETA["citation"]} == dois


def test_the_licence_of_the_phantoms_is_that_of_the_package():
    from cxrseg.report import croissant

    assert croissant.LICENCE.rpartition("/")[2] == PROJECT["license"]
