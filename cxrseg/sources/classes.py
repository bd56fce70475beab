"""The names that folders give to the diagnostic classes."""

_SPELLINGS = {
    "covid": "COVID",
    "covid19": "COVID",
    "sarscov2": "COVID",
    "noncovid": "Non-COVID",
    "noncovid19": "Non-COVID",
    "normal": "Normal",
}


def plain(name: str) -> str:
    """Return a name in lower case with letters and digits only: ``"COVID-19"`` becomes ``"covid19"``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def class_name(folder: str) -> str:
    """Return the diagnostic class that a folder name means.

    Common spellings of the paper's three classes are mapped to them; any other name stays as it is.

    Examples
    --------
    >>> class_name("covid-19"), class_name("NonCOVID"), class_name("Pneumonia")
    ('COVID', 'Non-COVID', 'Pneumonia')
    """
    return _SPELLINGS.get(plain(folder), folder)
