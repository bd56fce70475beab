"""Published results belong together: one source version, one form."""

import json

from support import ROOT

HEADS = [json.loads(file.read_text())["experiment"] for file in sorted((ROOT / "book" / "published").glob("*.json"))]


def test_results_are_of_one_source_version():
    assert len({head["commit"] for head in HEADS}) == 1
    assert not any(head["dirty"] for head in HEADS)
    assert all(set(head["trained_at"].split(", ")) <= {"", head["commit"]} for head in HEADS)


def test_results_rest_on_the_same_data_and_the_same_default_model():
    assert len({head["default_model"] for head in HEADS}) == 1
    digests = {(name, digest) for head in HEADS for name, digest in head["data"].items()}
    assert len(digests) == len({name for name, _ in digests})


def test_every_result_names_its_command():
    assert all(head["command"] and head["name"] and head["inputs"] for head in HEADS)


def test_the_predicted_dice_is_the_published_one():
    published = json.loads((ROOT / "book" / "published" / "quality.json").read_text())
    shipped = json.loads((ROOT / "cxrseg" / "evaluate" / "quality.json").read_text())
    assert shipped == {key: published[key] for key in ("weights", "mean_shape")}
