"""Why readers disagree is kept as codes, and told in the language of who reads it."""

import pytest
from django.utils import translation

from annotations.models import AdjudicatedLesion, Case
from annotations.reading.adjudication.words import SENTENCES, sentence
from tests.annotations.reading.adjudication.conftest import box

REASONS = [
    ({"code": "only_marked", "readers": ["A"]}, "Only A marked it.", "Solo A la marcó."),
    ({"code": "only_marked", "readers": ["A", "B"]}, "Only A and B marked it.", "Solo A y B la marcaron."),
    ({"code": "not_marked", "readers": ["B"]}, "B has not marked it.", "B no la marcó."),
    (
        {"code": "not_marked", "readers": ["A", "B", "C"]},
        "A, B and C have not marked it.",
        "A, B y C no la marcaron.",
    ),
    (
        {"code": "dice", "first": "A", "second": "C", "dice": 0.514, "below": 0.8},
        "A and C overlap with Dice 0.51, less than 0.80.",
        "A y C se solapan con un Dice de 0.51, menos de 0.80.",
    ),
    (
        {"code": "longest", "first": "A", "second": "B", "apart_mm": 3.25, "above_mm": 2.0},
        "The longest diameters of A and B are 3.2 mm apart, more than 2.0 mm.",
        "Los diámetros mayores de A y B difieren en 3.2 mm, más de 2.0 mm.",
    ),
    (
        {"code": "labels", "said": [["Tumour", ["A", "B"]], ["Cyst", ["C"]]]},
        "It has different labels: Tumour by A and B, Cyst by C.",
        "Tiene etiquetas distintas: Tumour según A y B, Cyst según C.",
    ),
    (
        {"code": "states", "said": [["present", ["A"]], ["not_assessed", ["B"]]]},
        "It is called present by A, not assessed by B.",
        "Se describe como presente según A, no evaluada según B.",
    ),
    (
        {"code": "answer", "text": "Malignancy", "said": [["4", ["A"]], ["2", ["B"]]]},
        "“Malignancy” is answered differently: 4 by A, 2 by B.",
        "«Malignancy» tiene respuestas distintas: 4 según A, 2 según B.",
    ),
    (
        {
            "code": "lesion",
            "label": "Tumour",
            "marked_by": 2,
            "of": 3,
            "least_dice": 0.5,
            "most_apart_mm": 1.5,
            "differ": ["labels", "states", "answers"],
        },
        "Tumour: marked by 2 of 3 readers, Dice from 0.50, diameters up to 1.5 mm apart, different labels, "
        "not the same state, different answers.",
        "Tumour: marcada por 2 de 3 lectores, Dice desde 0.50, diámetros que difieren hasta 1.5 mm, "
        "etiquetas distintas, estados distintos, respuestas distintas.",
    ),
    (
        {"code": "case_answer", "text": "Image quality"},
        "“Image quality” is answered differently.",
        "«Image quality» tiene respuestas distintas.",
    ),
]


@pytest.mark.parametrize(("reason", "english", "spanish"), REASONS)
def test_each_reason_is_a_sentence_in_both_languages(reason, english, spanish):
    with translation.override("en"):
        assert sentence(reason) == english
    with translation.override("es"):
        assert sentence(reason) == spanish


def test_every_code_is_tried_above():
    assert {reason["code"] for reason, _, _ in REASONS} == set(SENTENCES)


def test_what_was_kept_as_a_sentence_stays_readable():
    assert sentence("B has not marked it.") == "B has not marked it."


def test_a_case_that_needs_a_decision_says_why_in_spanish(disputed):
    (kept,) = Case.objects.get(pk=disputed.case.pk).disagreements
    assert kept["code"] == "lesion"
    client = disputed.cast.client("lead")
    url = f"/projects/{disputed.cast.project.slug}/cases/{disputed.case.number}/"
    said = "Tumour: marcada por 3 de 3 lectores, Dice desde 0.5"
    assert said in client.get(url, HTTP_ACCEPT_LANGUAGE="es").content.decode()
    assert said not in client.get(url).content.decode()


def test_so_does_each_lesion_in_the_room(reading):
    reading.draw("anna", {2: box(4, 4, 10, 10)})
    reading.draw("ben", {2: box(4, 4, 10, 10)})
    reading.hand_in()
    reading.decided()
    adjudication = reading.adjudication()
    (kept,) = AdjudicatedLesion.objects.get().disagreements
    assert kept["code"] == "not_marked"
    letter = kept["readers"][0]
    shown = reading.cast.get("adjudication/", who="reviewer", read=adjudication, HTTP_ACCEPT_LANGUAGE="es")
    assert shown.json()["lesions"][0]["disagreements"] == [f"{letter} no la marcó."]
