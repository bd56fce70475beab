"""Experiments choose and summarise the cases that they say."""

import jsrt
import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def three(monkeypatch):
    """Let JSRT have three films, of which one steers decisions."""
    monkeypatch.setattr(jsrt, "FILMS", 3)
    monkeypatch.setattr(jsrt, "DECISION", 1)


def test_the_films_that_steer_come_first_by_their_digest(three):
    # SHA-256 of a, b, c: ca97…, 3e23…, 2e7d…
    assert jsrt.decision_names(["a", "b", "c"]) == {"c"}
    with pytest.raises(SystemExit, match="got 2"):
        jsrt.decision_names(["a", "b"])


def test_a_row_holds_what_was_found_in_a_film(three):
    rows = [
        {"case_id": f"{name}.png", "structure": structure, "dice": dice, **(ratio if structure == "heart" else {})}
        for name, dice, ratio in (
            ("a", 0.9, {"truth_ctr": 0.5, "predicted_ctr": 0.52}),
            ("b", 0.8, {"truth_ctr": 0.4, "predicted_ctr": np.nan}),
            ("c", 0.7, {"truth_ctr": 0.45, "predicted_ctr": 0.44}),
        )
        for structure in ("lungs", "heart")
    ]
    table = jsrt.table(pd.DataFrame(rows))
    assert table["name"].tolist() == ["a", "b", "c"]
    assert table["group"].tolist() == ["others", "others", "decision"]
    assert table["dice_heart"].tolist() == [0.9, 0.8, 0.7]
    others = jsrt.summarise(table[table["group"] == "others"])
    assert others["n"] == 2
    assert (others["ctr"]["n"], others["ctr"]["missing"]) == (1, 1)
    assert others["ctr"]["bias"]["mean"] == pytest.approx(0.02)
    assert others["structures"]["lungs"]["mean"] == pytest.approx(0.85)
