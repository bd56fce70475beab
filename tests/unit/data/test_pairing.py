"""Which cases of a collection are taken."""

import pickle
from collections import Counter

import pytest
from samples import config, quex_members, unpacked
from support import archive, rsua_members

from cxrseg.config import DataConfig
from cxrseg.data import pairing
from cxrseg.data.cases import Case
from cxrseg.data.sources import covid_qu_ex, folder, rsua


@pytest.mark.parametrize("build", [archive, unpacked])
def test_cases_can_be_sent_to_another_process(tmp_path, build):
    listed = rsua.cases(config("rsua", build(tmp_path / "a", rsua_members({"Covid": 3}))))
    for case in pickle.loads(pickle.dumps(listed)):
        assert case.image().shape == case.masks["lungs"]().shape == (8, 8)


def made(counts: dict[str, int]) -> list[Case]:
    return [Case(f"{label}/{number}", label, list, {}) for label, count in counts.items() for number in range(count)]


def drawn(cases: list[Case], seed: int = 1, **numbers: int) -> list[str]:
    asked = {label.replace("_", "-"): number for label, number in numbers.items()}
    return [case.case_id for case in pairing.sample_cases(cases, DataConfig(cases_per_class=asked, seed=seed))]


def test_draw_is_without_replacement_stable_and_by_seed():
    cases = made({"COVID": 50, "Non-COVID": 40, "Normal": 30})
    first = drawn(cases, COVID=20, Normal=30)
    assert Counter(name.split("/")[0] for name in first) == {"COVID": 20, "Normal": 30}
    assert len(set(first)) == 50
    assert first == drawn(cases, COVID=20, Normal=30)
    assert first != drawn(cases, seed=2, COVID=20, Normal=30)
    order = [case.case_id for case in cases]
    assert first == sorted(first, key=order.index)
    assert [case.case_id for case in pairing.sample_cases(cases, DataConfig())] == order


def test_draw_of_one_class_does_not_depend_on_the_others_and_grows():
    cases = made({"COVID": 50, "Non-COVID": 40})
    assert set(drawn(cases, COVID=9)) < set(drawn(cases, COVID=10, Non_COVID=3))
    assert drawn(cases[:50], COVID=9) == drawn(cases, COVID=9)


def test_draw_takes_every_case_equally_often():
    cases = made({"Normal": 10})
    taken = Counter(name for seed in range(600) for name in drawn(cases, seed=seed, Normal=3))
    # Binomial, 600 draws at 0.3: mean 180, standard deviation 11.
    assert len(taken) == 10 and all(abs(count - 180) < 45 for count in taken.values())


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"COVID": 6}, r"^data\.cases_per_class: 6 cases of COVID asked for; expected at most 5$"),
        ({"COVID-19": 1}, r"^data\.cases_per_class: unknown 'COVID-19', did you mean COVID\?"),
        ({"normal": 1}, "did you mean Normal"),
        ({"xyz": 1}, r"unknown 'xyz'; known: COVID, Normal$"),
    ],
)
def test_draw_that_cannot_be(asked, line):
    with pytest.raises(ValueError, match=line):
        pairing.sample_cases(made({"COVID": 5, "Normal": 5}), DataConfig(cases_per_class=asked))


def test_every_source_draws(tmp_path):
    asked = {"cases_per_class": {"COVID": 2}}
    assert len(rsua.cases(config("rsua", archive(tmp_path / "r.zip", rsua_members({"Covid": 4})), **asked))) == 2
    assert len(covid_qu_ex.cases(config("covid_qu_ex", archive(tmp_path / "q.zip", quex_members()), **asked))) == 2
    members = {f"covid/{kind}/{stem}.png": b"" for stem in "abc" for kind in ("images", "masks")}
    assert len(folder.cases(config("folder", unpacked(tmp_path / "f", members), **asked))) == 2
