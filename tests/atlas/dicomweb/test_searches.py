"""QIDO-RS: each kind of matching finds what it should and nothing else; a slip of the pen finds nothing."""

import json

import pytest
from pydicom.dataset import Dataset as Header

from atlas.models import Instance, Series, Study
from tests.atlas.slices import series
from tests.cast import study_of

pytestmark = pytest.mark.django_db(transaction=True)


MATCHING = {
    "": {"first", "second", "other", "undated"},
    "PatientID=NH-1": {"first", "second"},
    "00100020=NH-1": {"first", "second"},
    "PatientID=NH-*": {"first", "second", "other"},
    "PatientID=NH-?": {"first", "second"},
    "PatientID=*3": {"undated"},
    "PatientID=nh-1": set(),
    "PatientID=": {"first", "second", "other", "undated"},
    "PatientID=*": {"first", "second", "other", "undated"},
    "StudyDate=20240501": {"first"},
    "StudyDate=20240101-20241231": {"first", "second"},
    "StudyDate=20240502-": {"second"},
    "StudyDate=-20240501": {"first", "other"},
    "StudyDate=%22%22": {"undated"},
    "StudyTime=1015": {"first"},
    "StudyTime=10-1400": {"first", "second"},
    "StudyTime=140031-": set(),
    "ModalitiesInStudy=CT": {"first", "second"},
    "ModalitiesInStudy=SEG,MR": {"first", "other"},
    "ModalitiesInStudy=SEG%5CMR": {"first", "other"},
    "ModalitiesInStudy=CT&StudyDate=2024.07.30": {"second"},
    "StudyDescription=*CT*": {"first", "second"},
    "StudyDescription=*100%25": {"first"},
    "StudyDescription=*_*": {"second"},
    "StudyDescription=%22%22": {"undated"},
    "PatientName=Anyone": set(),
    "PatientName=*": {"first", "second", "other", "undated"},
    "limit=0": set(),
}


SLIPS = {
    "studies?PatientIdd=NH-1": "PatientIdd",
    "studies?Manufacturer=Siemens": "Manufacturer",
    "studies?Modality=CT": "ModalitiesInStudy",
    "studies?SOPInstanceUID=1.2": "SOPInstanceUID",
    "studies?StudyDate=yesterday": "StudyDate",
    "studies?StudyDate=20241301": "StudyDate",
    "studies?StudyTime=noon": "StudyTime",
    "series?SeriesNumber=two": "SeriesNumber",
    "studies?StudyInstanceUID=abc": "StudyInstanceUID",
    "studies?limit=-1": "limit",
    "studies?includefield=Nonsense": "Nonsense",
    "studies?fuzzymatching=maybe": "fuzzymatching",
}


@pytest.fixture
def studies(dataset) -> dict[str, Study]:
    """Four studies of three people."""
    told = {
        "first": study_of(dataset, "NH-1", "2024-05-01", "CT SEG"),
        "second": study_of(dataset, "NH-1", "2024-07-30", "CT PT"),
        "other": study_of(dataset, "NH-20", "2023-01-15", "MR"),
        "undated": study_of(dataset, "AB-3", None, "US"),
    }
    for name, description, at in (
        ("first", "CT chest, 100%", "10:15"),
        ("second", "PET_CT", "14:00:30"),
        ("other", "MR breast", None),
    ):
        Study.objects.filter(pk=told[name].pk).update(description=description, time=at)
    return told


def found(answer) -> list[str]:
    """Study Instance UIDs of an answer."""
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    return [item["0020000D"]["Value"][0] for item in answer.json()]


def test_a_search_finds_the_studies_that_match(get, studies):
    name_of = {study.study_instance_uid: name for name, study in studies.items()}
    answers = {
        query: {name_of[uid] for uid in found(get(f"/dicomweb/studies?{query}"))} for query in MATCHING
    }
    assert answers == MATCHING


def test_a_list_of_uids_finds_each_of_them(get, studies):
    wanted = [studies["first"].study_instance_uid, studies["other"].study_instance_uid]
    for separator in (",", "%5C"):
        answer = get(f"/dicomweb/studies?StudyInstanceUID={separator.join(wanted)}")
        assert sorted(found(answer)) == sorted(wanted)


def test_pages_neither_overlap_nor_leave_anything_out(get, studies):
    pages = [found(get(f"/dicomweb/studies?limit=1&offset={offset}")) for offset in range(4)]
    assert [len(page) for page in pages] == [1, 1, 1, 1]
    assert [uid for page in pages for uid in page] == found(get("/dicomweb/studies"))
    assert found(get("/dicomweb/studies?offset=4")) == []


def test_a_parameter_that_cannot_be_meant_is_refused_by_name(get, studies):
    for path, name in SLIPS.items():
        answer = get(f"/dicomweb/{path}")
        assert answer.status_code == 400, path
        assert name in answer.json()["reason"]


def test_an_answer_tells_what_the_standard_asks_for(get, studies, origin):
    study = studies["second"]
    (told,) = get(f"/dicomweb/studies?StudyInstanceUID={study.study_instance_uid}").json()
    header = Header.from_json(json.dumps(told))
    assert header.StudyInstanceUID == study.study_instance_uid
    assert header.StudyDate == "20240730"
    assert header.StudyTime == "140030"
    assert header.PatientID == "NH-1"
    assert sorted(header.ModalitiesInStudy) == ["CT", "PT"]
    assert header.NumberOfStudyRelatedSeries == 2
    assert header.NumberOfStudyRelatedInstances == 20
    assert header.InstanceAvailability == "ONLINE"
    assert told["00100010"] == {"vr": "PN"}
    assert header.RetrieveURL == f"{origin}/dicomweb/studies/{study.study_instance_uid}"


def test_series_are_found_by_their_own_attributes_and_those_of_their_study(get, studies):
    def modalities(query: str) -> list[str]:
        answer = get(f"/dicomweb/series?{query}")
        return sorted(item["00080060"]["Value"][0] for item in answer.json()) if answer.content else []

    assert modalities("Modality=CT,SEG&PatientID=NH-1") == ["CT", "CT", "SEG"]
    assert modalities("SeriesDescription=*of%20NH-1&SeriesNumber=2") == ["PT", "SEG"]
    assert modalities("StudyDate=20230101-20231231") == ["MR"]
    assert modalities("ModalitiesInStudy=SEG") == ["CT", "SEG"]
    uid = studies["first"].study_instance_uid
    answer = get(
        f"/dicomweb/studies/{uid}/series?includefield=PatientID,StudyDate,NumberOfStudyRelatedSeries"
    )
    assert [item["00100020"]["Value"] for item in answer.json()] == [["NH-1"], ["NH-1"]]
    assert answer.json()[0]["00201206"]["Value"] == [2]
    assert answer.json()[0]["00201209"]["Value"] == [10]


def test_instances_are_found_with_what_the_index_knows_of_them(get, chest):
    study = chest.study.study_instance_uid
    answer = get(f"/dicomweb/studies/{study}/series/{chest.series_instance_uid}/instances?includefield=all")
    assert len(answer.json()) == 5
    for item in answer.json():
        assert item["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
        assert (item["00280010"]["Value"], item["00280011"]["Value"]) == ([6], [8])
        assert item["00280100"]["Value"] == [16]
        assert item["00100020"]["Value"] == ["NH-20931"]
        assert item["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    numbers = get(f"/dicomweb/studies/{study}/instances?InstanceNumber=3").json()
    assert [item["00200013"]["Value"] for item in numbers] == [[3]]
    uid = chest.instances.first().sop_instance_uid
    assert get(f"/dicomweb/instances?SOPInstanceUID={uid}").json()[0]["00080018"]["Value"] == [uid]


def test_who_asks_for_fuzzy_names_is_told_that_matching_was_literal(get, studies):
    answer = get("/dicomweb/studies?fuzzymatching=true&PatientID=NH-1")
    assert len(found(answer)) == 2
    assert answer.headers["warning"].startswith('299 Atlas "The fuzzymatching parameter is not supported.')


def test_an_answer_that_was_cut_short_says_so(get, studies):
    assert "warning" not in get("/dicomweb/studies?limit=4").headers
    assert "more results" in get("/dicomweb/studies?limit=3").headers["warning"]


def test_a_held_image_appears_in_no_search_and_no_count(get, chest):
    held = chest.instances.first()
    Instance.objects.filter(pk=held.pk).update(hold="text")
    study = chest.study.study_instance_uid
    assert get(f"/dicomweb/instances?SOPInstanceUID={held.sop_instance_uid}").status_code == 204
    assert get(f"/dicomweb/studies/{study}/series").json()[0]["00201209"]["Value"] == [4]
    assert get("/dicomweb/studies").json()[0]["00201208"]["Value"] == [4]


def test_a_series_that_is_held_as_a_whole_appears_nowhere(get, chest):
    Instance.objects.filter(series=chest).update(hold="checking")
    assert get("/dicomweb/series").status_code == 204
    assert get("/dicomweb/instances").status_code == 204


def test_a_datasets_root_shows_its_own_studies_only(get, studies, organisation, manager):
    from accounts import permissions
    from atlas.models import Dataset

    second = Dataset.objects.create(organisation=organisation, name="Breast", slug="breast")
    permissions.grant(user=manager, role="data_manager", scope=second)
    elsewhere = study_of(second, "ZZ-9").study_instance_uid
    assert elsewhere in found(get("/dicomweb/studies"))
    assert elsewhere not in found(get("/dicomweb/datasets/chest-ct/studies"))
    answer = get("/dicomweb/datasets/breast/studies")
    assert found(answer) == [elsewhere]
    assert answer.json()[0]["00081190"]["Value"][0].endswith(f"/dicomweb/datasets/breast/studies/{elsewhere}")


def test_a_stranger_finds_nothing_and_nobody_must_sign_in(get, studies, stranger):
    assert get("/dicomweb/studies", user=stranger).status_code == 204
    assert get("/dicomweb/datasets/chest-ct/studies", user=stranger).status_code == 404
    assert get("/dicomweb/projects/none/studies", user=stranger).status_code == 404
    answer = get("/dicomweb/studies", user=None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_host_that_the_node_does_not_answer_to_gets_no_addresses_made_of_it(get, studies):
    assert get("/dicomweb/studies", host="evil.example").status_code == 400


def test_dicomweb_client_finds_studies_series_and_instances(client, take):
    uid = "1.2.840.1"
    take(series([(0, 0, z) for z in range(3)], StudyInstanceUID=uid))
    take(series([(0, 0, z) for z in range(2)], StudyInstanceUID=uid, Modality="PT"))
    (study,) = client.search_for_studies(search_filters={"PatientID": "NH-2093*"})
    assert study["0020000D"]["Value"] == [uid]
    assert len(client.search_for_series(uid)) == 2
    (pt,) = client.search_for_series(uid, search_filters={"Modality": "PT"})
    assert len(client.search_for_instances(uid, pt["0020000E"]["Value"][0], fields=["Rows"])) == 2
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []
    assert Series.objects.count() == 2
