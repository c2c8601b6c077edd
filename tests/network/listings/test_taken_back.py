"""What is taken back of a subject is told no more: as if the subject had left."""

import random

import pytest

from accounts.models import User
from annotations.models import Case, Read, Recall, ReferenceStandard, Submission
from atlas.models import ClinicalFact, Dataset, Series, Study
from network import listings
from network.facts.held import facts_of
from network.facts.keys import keys_of
from network.listings.publishing import enough
from network.models import Listing, ListingVersion
from tests.cast import person
from tests.network.facts.world import people, stored

pytestmark = pytest.mark.django_db
SUBJECTS = 40


@pytest.fixture
def reader() -> User:
    return person("rita")


@pytest.fixture
def read(reader: User) -> Dataset:
    """A dataset with clinical facts and results of readers, published."""
    dataset = stored(people(random.Random(4), SUBJECTS), "world", reader, person("otto"))
    assert listings.publish(dataset) is not None
    Listing.objects.update(is_listed=True)
    return dataset


def keys_counted() -> set[int]:
    return set(facts_of([ListingVersion.objects.exclude(facts_key="").get().facts_key]).keys.tolist())


def key_of(public_id: str) -> int:
    return int(keys_of([public_id])[0])


def with_reference() -> Case:
    found = Case.objects.filter(reference__isnull=False).order_by("pk").first()
    assert found is not None
    return found


def require_counted_no_more(dataset: Dataset, public_id: str) -> None:
    """Nor others, chosen by chance, so that the difference tells nothing of the one."""
    (version,) = listings.publish_changed()
    assert version.version == "2.0.0"
    assert version.note == "Subjects were taken out."
    assert key_of(public_id) not in keys_counted()
    assert len(keys_counted()) == SUBJECTS - enough()
    assert listings.publish(dataset) is None, "they don't come back by themselves"


def test_a_recalled_case_is_counted_no_more(read: Dataset, reader: User) -> None:
    case = with_reference()
    Recall.objects.create(project=case.project, case=case, case_number=case.number, reason="Wrong", by=reader)
    require_counted_no_more(read, case.subject.public_id)


def test_a_withdrawn_reference_standard_is_counted_no_more(read: Dataset) -> None:
    case = with_reference()
    ReferenceStandard.objects.filter(case=case).delete()
    require_counted_no_more(read, case.subject.public_id)


def test_a_result_that_is_reopened_is_counted_no_more(read: Dataset) -> None:
    result = (
        Submission.objects.filter(
            read__state=Read.State.ACCEPTED, read__case__reference=None, read__case__needs_adjudication=False,
            round=1, read__round=1,
        )
        .order_by("pk")
        .first()
    )  # fmt: skip
    assert result is not None
    Read.objects.filter(pk=result.read_id).update(state=Read.State.RETURNED, round=2)
    require_counted_no_more(read, result.read.case.subject.public_id)


def test_clinical_facts_that_are_deleted_are_counted_no_more(read: Dataset) -> None:
    fact = ClinicalFact.objects.order_by("pk").first()
    assert fact is not None
    fact.delete()
    require_counted_no_more(read, fact.subject.public_id)


def test_images_that_are_deleted_are_counted_no_more(read: Dataset) -> None:
    series = Series.objects.exclude(modality="SR").filter(frame_count__gt=0).order_by("pk")[0]
    public_id = series.study.subject.public_id
    series.delete()
    require_counted_no_more(read, public_id)


def test_what_is_only_other_than_before_waits_for_enough(read: Dataset) -> None:
    """A corrected fact, and a result that another one takes the place of."""
    fact = ClinicalFact.objects.filter(kind="condition").order_by("pk").first()
    assert fact is not None
    ClinicalFact.objects.filter(pk=fact.pk).update(code="SCT:9")
    case = with_reference()
    other = Submission.objects.filter(read__case=case).exclude(pk=case.reference.submission_id).first()
    ReferenceStandard.objects.filter(case=case).update(submission=other)
    assert listings.publish_changed() == []
    assert len(keys_counted()) == SUBJECTS


def test_a_disagreement_that_is_to_be_settled_takes_nothing_back(read: Dataset) -> None:
    """It comes and goes with the reading of every case."""
    case = Case.objects.filter(
        reference=None, needs_adjudication=False, reads__state=Read.State.ACCEPTED, reads__round=1
    ).first()
    assert case is not None
    Case.objects.filter(pk=case.pk).update(needs_adjudication=True)
    assert listings.publish_changed() == []
    assert len(keys_counted()) == SUBJECTS


def test_they_come_back_with_the_next_version_without_what_was_taken_back(read: Dataset) -> None:
    fact = ClinicalFact.objects.filter(kind="death").order_by("pk").first()
    assert fact is not None
    fact.delete()
    require_counted_no_more(read, fact.subject.public_id)
    changed = keys_counted()
    for study in Study.objects.filter(dataset=read):
        if key_of(study.subject.public_id) in changed:
            Series.objects.create(
                organisation=read.organisation, study=study, series_instance_uid=f"2.25.{study.pk}",
                modality="US", changed_at=study.created_at, instance_count=1, frame_count=1,
            )  # fmt: skip
    assert listings.publish(read) is not None
    assert len(keys_counted()) == SUBJECTS


def test_many_at_once_are_a_version_of_their_own(read: Dataset) -> None:
    for case in Case.objects.order_by("pk")[:20]:
        case.subject.clinical_facts.all().delete()
    (version,) = listings.publish_changed()
    assert version.version == "2.0.0"
    assert len(keys_counted()) == SUBJECTS
