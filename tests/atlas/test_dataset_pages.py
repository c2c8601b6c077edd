"""Datasets on pages: who creates, edits, lends and sees them."""

import pytest
from django.test import Client

from accounts import permissions
from accounts.models import AuditRecord, Organisation, User
from atlas.models import Dataset, DatasetGrant, Project, Series, Upload, UploadFinding
from tests.cast import person, signed_in, study_of

NEW = "/organisations/karlsund/datasets/new/"
FACTS = {
    "name": "Lung nodules under follow-up",
    "organ": "lung",
    "description": "Adults with a nodule.",
    "licence": "CC BY 4.0",
    "deidentification": "already_done",
}


@pytest.fixture
def outsider(db) -> User:
    other = Organisation.objects.create(name="Hospital Ribera Alta", slug="ribera", country="ES")
    user = person("otto", "Otto", "Fremd")
    permissions.grant(user=user, role="manager", scope=other)
    return user


@pytest.fixture
def lung(organisation) -> Dataset:
    return Dataset.objects.create(
        organisation=organisation, name="Lung", slug="lung", organ="lung", deidentification="already_done"
    )


@pytest.fixture
def keeper(lung) -> User:
    user = person("jonas", "Jonas", "Haas")
    permissions.grant(user=user, role="data_manager", scope=lung)
    return user


@pytest.fixture
def project(organisation, member) -> Project:
    return Project.objects.create(
        organisation=organisation, name="RESPOND", slug="respond", created_by=member
    )


def test_a_manager_creates_a_dataset(owner, organisation):
    answer = signed_in(owner).post(NEW, FACTS)
    made = Dataset.objects.get()
    assert answer.headers["Location"] == f"/datasets/{made.slug}/"
    assert (made.organisation, made.slug, made.organ) == (
        organisation,
        "lung-nodules-under-follow-up",
        "lung",
    )
    record = AuditRecord.objects.get(verb="dataset.created")
    assert (record.actor, record.object_id, record.facts) == (
        owner,
        made.pk,
        {"deidentification": "already_done"},
    )


def test_two_datasets_of_one_name_have_two_addresses(owner):
    browser = signed_in(owner)
    browser.post(NEW, FACTS)
    browser.post(NEW, FACTS)
    assert Dataset.objects.values_list("slug", flat=True).distinct().count() == 2


def test_an_unknown_organ_and_a_missing_name_are_said(owner):
    page = signed_in(owner).post(NEW, {**FACTS, "organ": "toe", "name": ""}).content.decode()
    assert "toe is not one of the available choices" in page
    assert "This field is required" in page
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("path", "by_role"),
    [
        (NEW, {"owner": 200, "keeper": 404, "member": 403, "outsider": 404}),
        ("/datasets/lung/", {"owner": 200, "keeper": 200, "member": 404, "outsider": 404}),
        ("/datasets/lung/edit/", {"owner": 200, "keeper": 403, "member": 404, "outsider": 404}),
        ("/datasets/lung/members/", {"owner": 200, "keeper": 200, "member": 404, "outsider": 404}),
        ("/datasets/lung/import/", {"owner": 200, "keeper": 200, "member": 404, "outsider": 404}),
    ],
)
def test_who_opens_what(request, lung, path, by_role):
    answered = {who: signed_in(request.getfixturevalue(who)).get(path).status_code for who in by_role}
    assert answered == by_role
    assert Client().get(path).headers["Location"] == f"/sign-in/?next={path}"


def test_the_list_holds_what_one_may_open(owner, keeper, member, outsider, lung, organisation):
    Dataset.objects.create(organisation=organisation, name="Liver", slug="liver")
    listed = {
        user.username: [
            slug
            for slug in ("lung", "liver")
            if f'/datasets/{slug}/"' in signed_in(user).get("/datasets/").content.decode()
        ]
        for user in (owner, keeper, member, outsider)
    }
    assert listed == {"nina": ["lung", "liver"], "jonas": ["lung"], "rui": [], "otto": []}


def test_the_page_shows_studies_with_picture_series_and_findings(owner, lung):
    study = study_of(lung, "L-1", "2024-01-01", "CT SEG")
    Series.objects.filter(study=study, modality="CT").update(
        findings=[{"code": "gap", "sentence": "1 slice is missing: after image 3.", "spoils": ["volume"]}]
    )
    page = signed_in(owner).get("/datasets/lung/").content.decode()
    image = Series.objects.get(study=study, modality="CT")
    assert f'src="/thumbnails/{image.public_id}/1"' in page
    assert "CT of L-1" in page
    assert "1 slice is missing: after image 3." in page
    assert "No reconstructions and volumes." in page
    assert "1\N{NO-BREAK SPACE}study" in page


def test_the_page_takes_as_many_queries_for_many_studies_as_for_few(
    owner, lung, django_assert_max_num_queries
):
    for number in range(3):
        study_of(lung, f"L-{number}", modalities="CT MR")
    browser = signed_in(owner)
    with django_assert_max_num_queries(40) as few:
        browser.get("/datasets/lung/")
    for number in range(3, 20):
        study_of(lung, f"L-{number}", modalities="CT MR")
    with django_assert_max_num_queries(len(few)):
        assert browser.get("/datasets/lung/").content.decode().count("/thumbnails/") == 20


def test_refused_files_stand_with_their_reason(owner, lung):
    upload = Upload.objects.create(dataset=lung, by=owner, state="done", files_read=120, refused=120)
    UploadFinding.objects.bulk_create(
        UploadFinding(upload=upload, file_name=f"scan/{n:03}.txt", reason="This is not a DICOM file.")
        for n in range(120)
    )
    browser = signed_in(owner)
    assert "scan/000.txt" in browser.get("/datasets/lung/").content.decode()
    first, second = (
        browser.get(f"/datasets/lung/uploads/{upload.public_id}/?page={n}").content.decode() for n in (1, 2)
    )
    assert "scan/099.txt" in first
    assert "scan/119.txt" in second
    assert browser.get("/datasets/lung/uploads/000000000000/").status_code == 404


def test_what_describes_a_dataset_can_be_changed_and_its_address_stays(owner, lung):
    signed_in(owner).post(
        "/datasets/lung/edit/", {**FACTS, "name": "Lung, renamed", "deidentification": "undeclared"}
    )
    lung.refresh_from_db()
    assert (lung.name, lung.slug) == ("Lung, renamed", "lung")
    assert lung.deidentification == "already_done"  # that has a page of its own
    assert AuditRecord.objects.filter(actor=owner, verb="dataset.edited").count() == 1


def test_an_undeclared_dataset_offers_no_import(owner, lung):
    Dataset.objects.update(deidentification="undeclared")
    browser = signed_in(owner)
    for path in ("/datasets/lung/", "/datasets/lung/import/"):
        page = browser.get(path).content.decode()
        assert "takes no images until" in page
        assert "import.js" not in page
    assert 'href="/datasets/lung/import/"' not in browser.get("/datasets/lung/").content.decode()


def test_a_manager_lends_a_dataset_to_a_project_and_takes_it_back(owner, lung, project):
    browser = signed_in(owner)
    browser.post("/datasets/lung/grants/", {"project": "respond"})
    browser.post("/datasets/lung/grants/", {"project": "https://node.example/projects/respond/"})
    grant = DatasetGrant.objects.get()
    assert (grant.dataset, grant.project, grant.granted_by) == (lung, project, owner)
    assert AuditRecord.objects.filter(verb="dataset.granted").count() == 1
    assert "RESPOND" in browser.get("/datasets/lung/").content.decode()
    browser.post("/datasets/lung/grants/withdraw/", {"project": "respond"})
    assert not DatasetGrant.objects.exists()
    assert AuditRecord.objects.filter(verb="dataset.grant_withdrawn").count() == 1


def test_an_unknown_project_is_said(owner, lung):
    page = signed_in(owner).post("/datasets/lung/grants/", {"project": "nope"}, follow=True).content.decode()
    assert "No project has this short name" in page


@pytest.mark.parametrize(("who", "status"), [("keeper", 403), ("member", 404), ("outsider", 404)])
def test_only_a_manager_lends(request, lung, project, who, status):
    browser = signed_in(request.getfixturevalue(who))
    assert browser.post("/datasets/lung/grants/", {"project": "respond"}).status_code == status
    assert browser.post("/datasets/lung/grants/withdraw/", {"project": "respond"}).status_code == status
    assert not DatasetGrant.objects.exists()


def test_a_manager_invites_a_data_manager_and_a_data_manager_nobody(
    owner, keeper, lung, mailoutbox, django_capture_on_commit_callbacks
):
    invite = {"deed": "invite", "email": "ada@example.org", "role": "data_manager"}
    assert signed_in(keeper).post("/datasets/lung/members/", invite).status_code == 403
    with django_capture_on_commit_callbacks(execute=True):
        assert signed_in(owner).post("/datasets/lung/members/", invite).status_code == 302
    assert "Your role: Data manager" in mailoutbox[0].body
