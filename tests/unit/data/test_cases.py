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
