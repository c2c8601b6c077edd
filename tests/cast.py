"""People for tests: made in one way everywhere."""

from datetime import date

from django.test import Client
from django.utils import timezone
from pydicom.uid import generate_uid

from accounts.models import User
from atlas.models import Dataset, Series, Study, Subject

PASSWORD = "a long enough secret 4711"


def person(username: str, first_name: str = "", last_name: str = "") -> User:
    return User.objects.create_user(
        username, f"{username}@example.org", PASSWORD, first_name=first_name, last_name=last_name
    )


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def study_of(
    dataset: Dataset, pseudonym: str, day: str | None = "2024-05-01", modalities: str = "CT"
) -> Study:
    """A study with one series for each modality, told about as if its images were here."""
    organisation = dataset.organisation
    subject, _ = Subject.objects.get_or_create(organisation=organisation, pseudonym=pseudonym)
    study = Study.objects.create(
        organisation=organisation,
        dataset=dataset,
        subject=subject,
        study_instance_uid=generate_uid(),
        date=day and date.fromisoformat(day),
    )
    for number, modality in enumerate(modalities.split(), start=1):
        Series.objects.create(
            organisation=organisation,
            study=study,
            series_instance_uid=generate_uid(),
            modality=modality,
            number=number,
            description=f"{modality} of {pseudonym}",
            state=Series.State.READY,
            changed_at=timezone.now(),
            generation=1,
            instance_count=10,
            frame_count=0 if modality in {"SEG", "SR"} else 10,
            thumbnail_key="" if modality in {"SEG", "SR"} else "somewhere",
        )
    return study
