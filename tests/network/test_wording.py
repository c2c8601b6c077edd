"""Values of facets in words."""

import pytest
from django.utils import translation

from network.catalogue.wording import value_words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("SCT:254837009", "Malignant neoplasm of breast"),
        ("ICD10:C49.2", "Malignant neoplasm of soft tissue (C49.2)"),
        ("SCT:1", "SCT:1"),
        ("", ""),
    ],
)
def test_a_diagnosis_is_told_in_words_where_they_are_known(code: str, words: str) -> None:
    assert value_words("condition", code) == words


def test_a_diagnosis_is_told_in_the_readers_language() -> None:
    with translation.override("es"):
        assert value_words("condition", "ICD10:C49.2") == "Neoplasia maligna de tejidos blandos (C49.2)"
