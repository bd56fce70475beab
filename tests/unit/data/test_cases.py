"""Names of the diagnostic classes."""

import pytest

from cxrseg.data import cases


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *((name, "COVID") for name in ("COVID", "Covid", "covid-19", "COVID-19", "covid19", "SARS-CoV-2")),
        *((name, "Non-COVID") for name in ("Non-COVID", "non_covid", "Non Covid", "NONCOVID", "Non-COVID-19")),
        *((name, "Normal") for name in ("Normal", "NORMAL", "normal")),
        *((name, name) for name in ("Pneumonia", "Viral Pneumonia", "healthy", "Non_Covid_Pneumonia", "ward 3")),
    ],
)
def test_class_spellings(name, label):
    assert cases.class_name(name) == label


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+1", "-1", "a\nb", "a\x1b[2J", "a\u2028b"])
def test_name_that_a_table_cannot_hold_is_refused_in_one_line(name):
    with pytest.raises(ValueError, match="rename it") as error:
        cases.check_name(name)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["<b>", "a|b", "$x$", "1=1", "a-b", "مرحبا", "👩‍⚕️", "COVID/1.png", ""])
def test_other_names_stay(name):
    cases.check_name(name)
