"""Of how many subjects is told is decided anew: what was counted before follows where it is stricter."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations.cohort.language import as_json, parse_text
from atlas.archive.storage import StorageUnavailable, storage
from atlas.management.commands import serve
from atlas.models import Dataset
from network import listings
from network.facts import counting
from network.facts.held import facts_of
from network.listings import publishing
from network.listings.publishing import enough, require_policy
from network.models import HeldQuestion, Listing, ListingVersion
from network.questions import asking
from tests.cast import person
from tests.network.listings.own import grow, published

pytestmark = pytest.mark.django_db
EVERYTHING = parse_text("everything")
MR = parse_text("series.modality is MR")


@pytest.fixture
def of_two_kinds(dataset: Dataset) -> Dataset:
    """30 subjects with CT, and 14 with MR."""
    grow(dataset, 14, "MR")
    published(dataset)
    Listing.objects.update(answers="itself")
    return dataset


def test_a_stricter_policy_counts_the_same_facts_anew(of_two_kinds: Dataset, settings) -> None:
    """Not those of today: a few who came meanwhile would be the difference."""
    first = ListingVersion.objects.get()
    assert first.figures["facets"]["modality"]["MR"] is not None
    grow(of_two_kinds, 3)
    settings.DISCLOSURE_MINIMUM = 20
    (second,) = listings.publish_changed()
    assert (second.version, second.minimum) == ("1.1.0", 20)
    assert second.figures["facets"]["modality"]["MR"] is None
    assert second.figures["subjects"] == first.figures["subjects"]
    assert len(facts_of([second.facts_key]).keys) == 44
    assert Listing.objects.get().figures == second.figures
    assert not Listing.objects.get().facets.filter(facet="modality", value="MR", subjects__gt=0).exists()
    assert listings.publish_changed() == []


def test_what_is_too_few_now_is_told_no_more(of_two_kinds: Dataset, settings) -> None:
    settings.DISCLOSURE_MINIMUM = 60
    listings.publish_changed()
    listing = Listing.objects.get()
    assert [listing.subjects, listing.studies, listing.series, listing.images] == [None] * 4
    grow(of_two_kinds, 25)
    assert listings.publish(of_two_kinds) is None, "what was told once could be subtracted"
    grow(of_two_kinds, enough() - 25)
    assert published(of_two_kinds).figures["subjects"] is not None


def test_a_question_is_answered_under_the_stricter_policy_at_once(of_two_kinds: Dataset, settings) -> None:
    settings.DISCLOSURE_MINIMUM = 20
    assert counting.answer(MR)[0].counts.subjects is None
    asking.ask(by=person("ana"), expression=EVERYTHING)
    listing = Listing.objects.get()
    (row,) = HeldQuestion.objects.get().answer
    assert (row["version"], row["subjects"]) == ("1.1.0", listing.subjects)
    assert listing.version == "1.1.0"
    assert listing.figures["facets"]["modality"]["MR"] is None


def test_no_page_tells_more_than_a_stricter_policy_allows(
    of_two_kinds: Dataset, settings, monkeypatch, capsys
) -> None:
    """`serve` has it counted anew before it answers anyone."""
    told: list[dict[str, int | None]] = []

    def opened(listener: object, **how: object) -> None:
        answer = Client().get(reverse("api-catalogue-dataset", args=["lung"])).json()
        told.append({one["value"]: one["subjects"] for one in answer["facets"]["modality"]})

    monkeypatch.setattr(serve, "listen", lambda host, port: None)
    monkeypatch.setattr(serve, "serve", opened)
    call_command("serve")
    settings.DISCLOSURE_MINIMUM = 20
    call_command("serve")
    assert told[0]["MR"] is not None
    assert told[1].get("MR") is None
    assert told[1]["CT"] is not None
    assert capsys.readouterr().out.count("Datasets counted anew: 1.") == 1


def test_a_node_that_cannot_count_anew_answers_nobody(of_two_kinds: Dataset, settings, monkeypatch) -> None:
    def unavailable(dataset: Dataset) -> None:
        raise StorageUnavailable("The storage doesn't answer.")

    monkeypatch.setattr(publishing, "say_anew", unavailable)
    monkeypatch.setattr(serve, "listen", lambda host, port: None)
    monkeypatch.setattr(serve, "serve", None)
    settings.DISCLOSURE_MINIMUM = 20
    with pytest.raises(
        CommandError, match=r"can't be counted anew\. The storage doesn't answer\. Start again"
    ):
        call_command("serve")


def test_a_number_is_never_cut_to_one_of_a_laxer_policy(dataset: Dataset, settings) -> None:
    published(dataset)
    Listing.objects.update(subjects=12, answers="itself")
    settings.DISCLOSURE_MINIMUM = 20
    told = counting.answer(EVERYTHING)[0].counts.subjects
    assert told is not None
    assert told >= 20


def test_other_words_bring_no_figures_of_a_laxer_policy_back(of_two_kinds: Dataset, settings) -> None:
    settings.DISCLOSURE_MINIMUM = 20
    of_two_kinds.description = "In other words."
    of_two_kinds.save()
    require_policy()
    assert Listing.objects.get().figures["facets"]["modality"]["MR"] is None
    assert Listing.objects.get().description == "In other words."


def test_a_laxer_policy_waits_for_the_next_version(of_two_kinds: Dataset, settings) -> None:
    settings.DISCLOSURE_MINIMUM = 20
    listings.publish_changed()
    settings.DISCLOSURE_MINIMUM = 10
    assert listings.publish_changed() == []
    assert counting.answer(MR)[0].counts.subjects is None
    grow(of_two_kinds, enough())
    assert published(of_two_kinds).minimum == 10
    assert counting.answer(MR)[0].counts.subjects is not None


def test_datasets_under_two_policies_are_each_counted_under_their_own(
    of_two_kinds: Dataset, settings
) -> None:
    settings.DISCLOSURE_MINIMUM = 20
    listings.publish_changed()
    settings.DISCLOSURE_MINIMUM = 10
    other = Dataset.objects.create(organisation=of_two_kinds.organisation, name="Other", slug="a-other")
    grow(other, 14, "MR")
    published(other)
    Listing.objects.update(answers="itself")
    told = {each.listing.slug: each.counts.subjects for each in counting.answer(MR)}
    assert told["lung"] is None
    assert told["a-other"] is not None


def test_lost_facts_tell_nothing_under_a_stricter_policy(of_two_kinds: Dataset, settings) -> None:
    first = ListingVersion.objects.get()
    with storage().open(first.facts_key) as file:
        kept = file.read()
    storage().delete(first.facts_key)
    settings.DISCLOSURE_MINIMUM = 20
    listings.publish_changed()
    assert Listing.objects.get().subjects is None
    assert Listing.objects.get().figures["facets"]["modality"] == {}
    assert listings.publish_changed() == []
    storage().put_durable(first.facts_key, kept)
    listings.publish_changed()
    assert Listing.objects.get().subjects == first.figures["subjects"], (
        "and they are counted once they are back"
    )


def test_a_policy_that_holds_costs_a_question_one_query(
    of_two_kinds: Dataset, django_assert_num_queries
) -> None:
    with django_assert_num_queries(1):
        require_policy()
    assert as_json(EVERYTHING) == {"all": []}
