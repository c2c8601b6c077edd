"""Datasets are published in versions whose counts can't be subtracted from each other."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import permissions
from accounts.models import AuditRecord, Organisation, User
from annotations.cohort.language import parse_text
from annotations.cohort.language.errors import CohortError
from atlas.archive import tasks
from atlas.archive.storage import ObjectMissing, storage
from atlas.models import Dataset, Series, Study, Subject
from network import listings
from network.catalogue.public import listed
from network.facts import counting, held
from network.facts.held import facts_of
from network.listings import taking_out
from network.listings.publishing import enough
from network.models import Listing, ListingFacet, ListingVersion
from tests.cast import person
from tests.network.listings.own import grow, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(organisation: Organisation) -> User:
    user = person("nina", "Nina", "Berg")
    permissions.grant(user=user, role="manager", scope=organisation)
    return user


def test_a_dataset_is_published_with_what_it_holds(dataset: Dataset) -> None:
    version = published(dataset)
    listing = Listing.objects.get(dataset=dataset)
    assert (version.version, listing.version, listing.slug) == ("1.0.0", "1.0.0", "lung")
    assert listing.subjects is not None
    assert abs(listing.subjects - 30) <= 9
    assert listing.figures["facets"]["modality"] == {"CT": listing.subjects}
    assert listing.figures["facets"]["organ"] == {"lung": listing.subjects}
    assert ListingFacet.objects.get(listing=listing, facet="modality").value == "CT"
    assert Listing.objects.filter(words="nodules").exists(), "found by full text"
    assert Listing.objects.filter(words="ct").exists()


def test_nothing_new_is_no_version(dataset: Dataset) -> None:
    published(dataset)
    assert listings.publish(dataset) is None
    assert listings.publish_changed() == []


def test_counts_change_only_when_enough_subjects_differ(dataset: Dataset) -> None:
    """Or one count less another would tell of the few."""
    first = published(dataset)
    grow(dataset, 3)
    assert listings.publish(dataset) is None
    assert Listing.objects.get().figures == first.figures
    grow(dataset, enough() - 3)
    second = published(dataset)
    assert second.version == "1.1.0"
    assert second.figures["subjects"] != first.figures["subjects"]


def test_other_words_are_a_version_with_the_same_counts(dataset: Dataset) -> None:
    first = published(dataset)
    dataset.name = "Lung nodules under follow-up"
    dataset.organ = "breast"
    dataset.save()
    second = published(dataset)
    assert second.version == "1.0.1"
    assert {name: second.figures[name] for name in ("subjects", "images")} == {
        name: first.figures[name] for name in ("subjects", "images")
    }
    assert list(second.figures["facets"]["organ"]) == ["breast"]
    assert Listing.objects.get().title == dataset.name


def test_too_few_are_published_as_too_few(organisation: Organisation) -> None:
    small = Dataset.objects.create(organisation=organisation, name="Small", slug="small")
    grow(small, 9)
    version = published(small)
    listing = Listing.objects.get()
    assert [listing.subjects, listing.studies, listing.series, listing.images] == [None] * 4
    assert version.figures["facets"]["organ"] == {"several": None}
    assert version.figures["facets"]["modality"] == {}, "a name alone would be of a few for sure"
    assert version.figures["growth"] == []
    grow(small, 4)
    assert published(small).figures["subjects"] is not None, "nothing was told that could be subtracted"


def test_an_erased_subject_is_counted_no_more_at_once(dataset: Dataset) -> None:
    """And the count doesn't tell what it had: others, chosen by chance, aren't counted either."""
    first = published(dataset)
    before = facts_of([first.facts_key])
    study = Study.objects.filter(dataset=dataset)[0]
    erased = taking_out.erase(study.subject)
    assert erased.counts == {"datasets counted anew": 1}
    second = ListingVersion.objects.exclude(facts_key="").get()
    after = facts_of([second.facts_key])
    assert second.version == "2.0.0"
    assert len(before.keys) - len(after.keys) == enough()
    assert study.subject.public_id not in after.about["left_out"]
    Series.objects.filter(study=study).delete()
    study.delete()
    assert listings.publish(dataset) is None, "those who are left out don't come back by themselves"
    grow(dataset, enough())
    third = facts_of([published(dataset).facts_key])
    assert len(third.keys) == 30 - 1 + enough()


def test_erasing_somebody_who_was_not_counted_publishes_nobody(dataset: Dataset) -> None:
    published(dataset)
    taking_out.erase(Study.objects.filter(dataset=dataset)[0].subject)
    second = ListingVersion.objects.exclude(facts_key="").get()
    before = facts_of([second.facts_key])
    grow(dataset, 2, "MR")
    left_out = before.about["left_out"]
    erased = taking_out.erase(Subject.objects.get(public_id=left_out[0]))
    assert list(erased.objects) == [second.facts_key]
    third = ListingVersion.objects.exclude(facts_key="").get()
    after = facts_of([third.facts_key])
    assert (third.version, third.figures) == (second.version, second.figures)
    assert after.keys.tolist() == before.keys.tolist()
    assert after.about["left_out"] == left_out[1:]
    assert third.facts_key != second.facts_key
    assert storage().size(third.facts_key) == third.facts_size


def test_the_facts_with_an_erased_subject_are_gone_whatever_happens(
    dataset: Dataset, django_capture_on_commit_callbacks
) -> None:
    """Its bytes by a job where the process is killed, what a process kept of them at once."""
    first = published(dataset)
    facts_of([first.facts_key])
    with django_capture_on_commit_callbacks() as later:
        erased = taking_out.erase(Study.objects.filter(dataset=dataset)[0].subject)
    assert list(erased.objects) == [first.facts_key]
    job = ProcrastinateJob.objects.get(args__keys__contains=[first.facts_key], status="todo")
    tasks.delete_superseded(**job.args)
    with pytest.raises(ObjectMissing):
        storage().size(first.facts_key)
    for each in later:
        each()
    with pytest.raises(ObjectMissing):
        facts_of([first.facts_key])


def test_another_process_drops_the_only_dataset_when_it_was_published_anew(dataset: Dataset) -> None:
    first = published(dataset)
    facts_of([first.facts_key])
    grow(dataset, enough())
    second = published(dataset)
    assert (first.facts_key,) in held._kept, "the transaction isn't over"
    facts_of([second.facts_key])
    assert (first.facts_key,) not in held._kept


def test_lost_facts_stop_no_erasure(dataset: Dataset) -> None:
    first = published(dataset)
    storage().delete(first.facts_key)
    subject = Study.objects.filter(dataset=dataset)[0].subject
    assert taking_out.erase(subject).counts == {"datasets counted anew": 1}
    second = ListingVersion.objects.exclude(facts_key="").get()
    assert second.version == "2.0.0"
    assert len(facts_of([second.facts_key]).keys) == 30 - enough()


def test_lost_facts_of_one_dataset_stop_no_other(dataset: Dataset, caplog) -> None:
    storage().delete(published(dataset).facts_key)
    other = Dataset.objects.create(organisation=dataset.organisation, name="Other", slug="other")
    published(other)
    for changed in (dataset, other):
        grow(changed, 30)
    assert [version.listing.slug for version in listings.publish_changed()] == ["other"]
    assert "lung are not in storage" in caplog.text
    assert Listing.objects.get(slug="lung").version == "1.0.0"


def test_what_is_gone_without_an_erasure_is_counted_no_more_either(dataset: Dataset) -> None:
    published(dataset)
    study = Study.objects.filter(dataset=dataset)[0]
    Series.objects.filter(study=study).delete()
    study.delete()
    second = published(dataset)
    assert second.version == "2.0.0"
    assert len(facts_of([second.facts_key]).keys) == 30 - enough()


def test_only_the_last_version_has_facts_and_storage_knows_of_them(
    dataset: Dataset, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = published(dataset)
    grow(dataset, enough())
    with django_capture_on_commit_callbacks(execute=True):
        second = published(dataset)
    (holding,) = held.holdings()
    assert holding.key == second.facts_key
    assert storage().size(second.facts_key) == holding.size
    assert first.facts_key not in {each.key for each in storage().keys("")}


# Questions ---------------------------------------------------------------------------------------


def test_a_dataset_answers_as_its_organisation_decided(dataset: Dataset, manager: User) -> None:
    published(dataset)
    everything = parse_text("series.modality is CT")
    assert counting.answer(everything) == []
    (asked,) = counting.answer(everything, decided=True)
    assert (asked.listing.slug, asked.version) == ("lung", "1.0.0")
    assert asked.counts.subjects == Listing.objects.get().subjects
    assert counting.answer(everything, decided=True, organisations=[]) == []
    assert counting.answer(everything, decided=True, organisations=[dataset.organisation])
    listings.set_terms(manager, dataset, answers="itself")
    assert len(counting.answer(everything)) == 1
    listings.set_terms(manager, dataset, answers="never")
    assert counting.answer(everything, decided=True) == []
    listings.set_terms(manager, dataset, answers="itself", is_listed=False)
    assert counting.answer(everything) == [], "what isn't listed isn't known of"


def test_a_few_and_nobody_are_answered_alike(dataset: Dataset) -> None:
    grow(dataset, 4, "MR")
    published(dataset)
    told = [
        counting.count(Listing.objects.get(), parse_text(f"series.modality is {one}")) for one in ("MR", "US")
    ]
    assert told[0] == told[1] == counting.Counts(None, None, None, None)
    without = counting.count(Listing.objects.get(), parse_text("not series.modality is MR"))
    assert without == counting.count(Listing.objects.get(), parse_text("everything")), "nor by subtraction"


def test_no_part_is_larger_than_the_whole(dataset: Dataset) -> None:
    grow(dataset, 30, "MR PT")
    published(dataset)
    listing = Listing.objects.get()
    for text in ("series.modality is CT", "series.modality in (MR, CT)", "everything"):
        told = counting.count(listing, parse_text(text)).as_json()
        for name, number in told.items():
            assert number is not None
            assert number <= getattr(listing, name)
        assert told["subjects"] <= told["studies"] <= told["series"] <= told["images"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("series.description contains x", "can't be asked across nodes"),
        ("case.number is 4", "can't be asked across nodes"),
        ("subject.age >= 67", "65 instead of 67"),
        ("subject.age is 65", "one exact value"),
        ("mark(kind is segment) of handed_in", "result of a case or its reference standard"),
        ("read(state is accepted)", "can't be asked across nodes"),
    ],
)
def test_what_could_single_somebody_out_is_not_asked_across_nodes(text: str, says: str) -> None:
    with pytest.raises(CohortError, match=says):
        counting.answer(parse_text(text))


def test_the_number_of_queries_does_not_grow_with_the_node(dataset: Dataset) -> None:
    published(dataset)
    for at in range(3):
        other = Dataset.objects.create(organisation=dataset.organisation, name=f"D{at}", slug=f"d{at}")
        grow(other, 12)
        published(other)
    with CaptureQueriesContext(connection) as queries:
        counting.answer(parse_text("series.modality is CT"), decided=True)
    assert len(queries) == 1


# What a manager decides --------------------------------------------------------------------------


def test_nothing_is_listed_until_a_person_has_decided(dataset: Dataset, manager: User) -> None:
    assert listings.publish_changed() == []
    listings.publish(dataset)
    assert not listed().exists()
    listings.set_terms(manager, dataset, is_listed=True)
    assert listed().get().dataset == dataset
    grow(dataset, enough())
    assert len(listings.publish_changed()) == 1


def test_only_a_manager_decides_and_it_is_on_record(dataset: Dataset, manager: User) -> None:
    with pytest.raises(Http404):  # for a stranger there is no such organisation
        listings.set_terms(person("somebody"), dataset, access="open")
    listing = listings.set_terms(manager, dataset, access="open", terms={"contact_mail": "a@example.org"})
    assert (listing.access, listing.terms) == ("open", {"contact_mail": "a@example.org"})
    assert list(listing.figures["facets"]["access"]) == ["open"]
    assert AuditRecord.objects.filter(verb="listing.decided").count() == 1
    with pytest.raises(ValidationError):
        listings.set_terms(manager, dataset, access="everyone")
