"""WADO-RS: the same bytes that were stored, or the same pixels decoded, for those who may see them."""

import gzip
import io
import zipfile
from email.parser import BytesParser

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset as Header
from pydicom.uid import ExplicitVRLittleEndian

from accounts.models import AuditRecord
from atlas.archive import sealing
from atlas.archive.storage import open_instance, storage
from atlas.dicomweb import remembered
from atlas.models import Instance, Series
from tests.atlas.slices import header, part_10
from tests.atlas.slices import pixels as slice_pixels

pytestmark = pytest.mark.django_db(transaction=True)

OCTETS = "application/octet-stream"
JPEG_2000 = "1.2.840.10008.1.2.4.90"


def path_of(instance: Instance) -> str:
    series = instance.series
    return (
        f"/dicomweb/studies/{series.study.study_instance_uid}/series/{series.series_instance_uid}"
        f"/instances/{instance.sop_instance_uid}"
    )


def stored(instance: Instance) -> bytes:
    with open_instance(instance) as file:
        return file.read(instance.size)


def parts(answer) -> list[tuple[str, bytes]]:
    """(content type, bytes) of each part of a multipart answer."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("multipart/related")
    head = b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n"
    message = BytesParser().parsebytes(head + answer.content)
    boundary = message.get_boundary().encode()
    bodies = answer.content.split(b"--" + boundary)[1:-1]
    found = []
    for body in bodies:
        lines, _, content = body.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        types = [line.split(b": ", 1)[1] for line in lines.split(b"\r\n") if line.startswith(b"Content-Type")]
        found.append((types[0].decode(), content.removesuffix(b"\r\n")))
    return found


def anonymous(name: str) -> bytes:
    """One of pydicom's own files, without its names."""
    dataset = pydicom.dcmread(get_testdata_file(name))
    for element in list(dataset):
        if (
            element.VR == "PN"
            or element.tag.is_private
            or element.keyword in ("PatientBirthDate", "OtherPatientIDs")
        ):
            del dataset[element.tag]
    dataset.PatientID = "NH-20931"
    dataset.remove_private_tags()
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.fixture
def taken(dataset, take):
    """Take one of pydicom's files in, whatever it says of itself, and give its instance."""

    def taken(name: str) -> Instance:
        (outcome,) = take([anonymous(name)])
        assert outcome.status == "stored", outcome.reason
        return Instance.objects.get(series=outcome.series_id)

    return taken


@pytest.fixture
def compressed(taken) -> Instance:
    return taken("emri_small_jpeg_2k_lossless.dcm")


def test_dicomweb_client_gets_the_files_that_were_stored(client, chest):
    study, series = chest.study.study_instance_uid, chest.series_instance_uid
    for instances in (client.retrieve_study(study), client.retrieve_series(study, series)):
        assert {dataset.SOPInstanceUID for dataset in instances} == set(
            chest.instances.values_list("sop_instance_uid", flat=True)
        )
    instance = chest.instances.first()
    dataset = client.retrieve_instance(study, series, instance.sop_instance_uid)
    with open_instance(instance) as file:
        assert dataset == pydicom.dcmread(file)


def test_an_instance_is_sent_byte_for_byte_as_a_part_or_alone(get, chest):
    instance = chest.instances.first()
    wanted = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    ((kind, body),) = parts(get(path_of(instance), accept=wanted))
    assert kind == f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"
    assert body == stored(instance)
    alone = get(path_of(instance), accept="application/dicom")
    assert alone.headers["content-type"] == kind
    assert alone.content == stored(instance)
    assert get(path_of(instance), accept="image/gif").status_code == 406


def test_a_compressed_instance_is_decoded_unless_it_is_wanted_as_it_is(get, compressed):
    as_stored = get(path_of(compressed), accept="application/dicom; transfer-syntax=*")
    assert as_stored.content == stored(compressed)
    decoded = get(path_of(compressed), accept="application/dicom")
    assert decoded.headers["content-type"].endswith(f"transfer-syntax={ExplicitVRLittleEndian}")
    ours, theirs = (
        pydicom.dcmread(io.BytesIO(decoded.content)),
        pydicom.dcmread(io.BytesIO(as_stored.content)),
    )
    assert ours.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert ours.SOPInstanceUID == theirs.SOPInstanceUID
    assert np.array_equal(ours.pixel_array, theirs.pixel_array)
    ((kind, body),) = parts(get(path_of(compressed), accept='multipart/related; type="application/dicom"'))
    assert kind.endswith(f"transfer-syntax={ExplicitVRLittleEndian}")
    assert np.array_equal(pydicom.dcmread(io.BytesIO(body)).pixel_array, theirs.pixel_array)
    other = get(path_of(compressed), accept="application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80")
    assert other.status_code == 406
    assert JPEG_2000 in other.json()["reason"]


def test_each_frame_is_the_bytes_of_its_file(get, client, chest):
    for instance in chest.instances.all():
        with open_instance(instance) as file:
            values = pydicom.dcmread(file).PixelData
        ((kind, body),) = parts(get(path_of(instance) + "/frames/1"))
        assert kind == f"application/octet-stream; transfer-syntax={ExplicitVRLittleEndian}"
        assert body == values
        assert get(path_of(instance) + "/frames/1", accept="application/octet-stream").content == values
    study, series = chest.study.study_instance_uid, chest.series_instance_uid
    assert client.retrieve_instance_frames(study, series, instance.sop_instance_uid, [1]) == [values]
    assert get(path_of(instance) + "/frames/2").status_code == 404
    assert get(path_of(instance) + "/frames/0").status_code == 404
    assert get(path_of(instance) + "/frames/1,,1").status_code == 400


def test_frames_go_out_compressed_or_decoded_as_the_request_accepts(get, client, compressed):
    path = path_of(compressed) + "/frames/10,1"
    dataset = pydicom.dcmread(io.BytesIO(stored(compressed)))
    encoded = list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=10))
    decoded = [dataset.pixel_array[9].tobytes(), dataset.pixel_array[0].tobytes()]
    as_stored = {
        'multipart/related; type="image/jp2"': "image/jp2",
        'multipart/related; type="image/*"; transfer-syntax=*': "image/jp2",
        'multipart/related; type="application/octet-stream"; transfer-syntax=*': "application/octet-stream",
        f'multipart/related; type="image/jp2"; transfer-syntax={JPEG_2000}': "image/jp2",
    }
    for accept, media_type in as_stored.items():
        found = parts(get(path, accept=accept))
        assert [kind for kind, _ in found] == [f"{media_type}; transfer-syntax={JPEG_2000}"] * 2
        assert [body for _, body in found] == [encoded[9], encoded[0]]
    plain = 'multipart/related; type="application/octet-stream"'
    for accept in (
        plain,
        f"{plain}; transfer-syntax={ExplicitVRLittleEndian}",
        f'multipart/related; type="image/jls", {plain}',
    ):
        found = parts(get(path, accept=accept))
        assert [kind for kind, _ in found] == [
            f"application/octet-stream; transfer-syntax={ExplicitVRLittleEndian}"
        ] * 2
        assert [body for _, body in found] == decoded
    refused = get(path, accept='multipart/related; type="image/jls"')
    assert refused.status_code == 406
    assert "image/jp2" in refused.json()["reason"]
    uids = (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
    jp2 = (("image/jp2", JPEG_2000),)
    assert client.retrieve_instance_frames(*uids, [10, 1], media_types=jp2) == [encoded[9], encoded[0]]


@pytest.mark.parametrize(
    "name",
    [
        "ExplVR_BigEnd.dcm",
        "image_dfl.dcm",
        "SC_rgb_expb_16bit.dcm",
        "liver.dcm",
        "MR_small_RLE.dcm",
        "SC_rgb_rle_32bit.dcm",
    ],
)
def test_a_decoded_frame_has_the_numbers_and_the_layout_that_its_header_tells(get, taken, name):
    instance = taken(name)
    dataset = pydicom.dcmread(io.BytesIO(stored(instance)))
    plain = 'multipart/related; type="application/octet-stream"'
    frames = int(dataset.get("NumberOfFrames", 1))
    path = path_of(instance) + "/frames/" + ",".join(str(number) for number in range(1, frames + 1))
    bodies = [body for _, body in parts(get(path, accept=plain))]
    for at, body in enumerate(bodies):
        array = dataset.pixel_array if frames == 1 else dataset.pixel_array[at]
        if dataset.BitsAllocated == 1:
            bits = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")[: array.size]
            assert np.array_equal(bits.reshape(array.shape), array)
            continue
        if array.ndim == 3 and dataset.PlanarConfiguration == 1:
            array = array.transpose(2, 0, 1)
        assert body == array.astype(array.dtype.newbyteorder("<")).tobytes()


def test_metadata_is_the_header_as_pydicom_reads_it(get, client, chest):
    study, series = chest.study.study_instance_uid, chest.series_instance_uid
    told = client.retrieve_series_metadata(study, series)
    assert len(told) == 5
    for item in told:
        instance = Instance.objects.get(sop_instance_uid=item["00080018"]["Value"][0])
        with open_instance(instance) as file:
            whole = pydicom.dcmread(file)
        address = item.pop("7FE00010")["BulkDataURI"]
        assert address.endswith(f"{path_of(instance)}/bulkdata/7FE00010")
        del whole.PixelData
        assert Header.from_json(item) == whole
    assert client.retrieve_study_metadata(study) == client.retrieve_series_metadata(study, series)
    uid = chest.instances.last().sop_instance_uid
    assert client.retrieve_instance_metadata(study, series, uid)["00080018"]["Value"] == [uid]


def test_metadata_is_packed_for_those_who_can_unpack_it(get, chest, origin, token, manager):
    import urllib.request

    path = path_of(chest.instances.first()).rsplit("/instances", 1)[0] + "/metadata"
    request = urllib.request.Request(origin + path, headers={**token(manager), "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = answer.read()
    assert gzip.decompress(packed) == get(path, accept_encoding="identity").content


def test_metadata_is_made_at_sealing_and_never_older_than_the_images(get, chest, take):
    chest.refresh_from_db()
    assert chest.metadata_key
    path = f"/dicomweb/studies/{chest.study.study_instance_uid}/series/{chest.series_instance_uid}/metadata"
    assert len(get(path).json()) == 5
    held = chest.instances.first()
    Instance.objects.filter(pk=held.pk).update(hold="text")
    remembered.forget_everything()
    assert held.sop_instance_uid not in [item["00080018"]["Value"][0] for item in get(path).json()]
    assert get(path_of(held)).status_code == 404
    before = chest.metadata_key
    sealing.seal(chest.pk)
    chest.refresh_from_db()
    assert chest.metadata_key != before
    assert storage().size(chest.metadata_key) > 0


def test_bulk_data_is_at_the_address_that_metadata_names(get, client, taken):
    instance = taken("liver.dcm")
    (told,) = get(path_of(instance) + "/metadata").json()
    address = told["7FE00010"]["BulkDataURI"]
    dataset = pydicom.dcmread(io.BytesIO(stored(instance)))
    assert client.retrieve_bulkdata(address) == [dataset.PixelData]
    for path in ("00080018/0/00080018", "00091001", "nothing", "7FE00010/1"):
        assert get(f"{path_of(instance)}/bulkdata/{path}").status_code == 404


def test_bulk_data_within_sequences_is_found(get, take):
    long = bytes(range(256)) * 8
    dataset = header(IconImageSequence=None)
    inner = Header()
    inner.add_new(0x00660023, "OW", long)
    dataset.add_new(0x00660002, "SQ", [Header(), inner])
    (outcome,) = take([part_10(dataset, slice_pixels(1))])
    assert outcome.status == "stored", outcome.reason
    instance = Instance.objects.get(series=outcome.series_id)
    (told,) = get(path_of(instance) + "/metadata").json()
    address = told["00660002"]["Value"][1]["00660023"]["BulkDataURI"]
    assert address.endswith("/bulkdata/00660002/1/00660023")
    found = get(path_of(instance) + "/bulkdata/00660002/1/00660023", accept="application/octet-stream")
    assert found.content == long


def test_a_rendered_frame_shows_its_window(get, chest):
    instance = chest.instances.get(instance_number=5)
    with open_instance(instance) as file:
        values = pydicom.dcmread(file).pixel_array - 1024.0
    answer = get(path_of(instance) + "/frames/1/rendered?window=-1000,40,linear", accept="image/png")
    assert answer.headers["content-type"] == "image/png"
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    # Pixels are 0.8 mm high and 0.4 mm wide: the picture has square ones.
    assert picture.shape == (12, 8)
    expected = np.clip((values - (-1000 - 0.5)) / (40 - 1) + 0.5, 0, 1) * 255
    assert picture.min() == 0
    assert abs(float(picture.mean()) - expected.mean()) < 4
    jpeg = get(path_of(instance) + "/rendered?viewport=400,400&quality=50")
    assert jpeg.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(jpeg.content)).size == (267, 400)
    region = get(path_of(instance) + "/rendered?viewport=100,100,0,0,4,2", accept="image/png")
    assert Image.open(io.BytesIO(region.content)).size == (100, 100)


@pytest.mark.parametrize(
    "query",
    [
        "window=1",
        "window=1,0",
        "window=1,2,cubic",
        "viewport=9,9,9",
        "viewport=99999,1",
        "quality=0",
        "viewport=nan,1",
        "win=1,2",
    ],
)
def test_a_picture_that_cannot_be_drawn_is_refused_with_the_reason(get, chest, query):
    answer = get(f"{path_of(chest.instances.first())}/rendered?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["reason"]


def test_thumbnails_are_small_pictures_of_anything(get, chest):
    base = f"/dicomweb/studies/{chest.study.study_instance_uid}"
    for path in (base, f"{base}/series/{chest.series_instance_uid}", path_of(chest.instances.first())):
        answer = get(path + "/thumbnail")
        assert answer.headers["content-type"] == "image/jpeg"
        assert max(Image.open(io.BytesIO(answer.content)).size) == 256
    assert Image.open(io.BytesIO(get(base + "/rendered").content)).size == (8, 12)


def test_a_packed_series_answers_as_the_loose_one_did_and_as_a_zip(get, take):
    (outcome,) = take([part_10(header(), slice_pixels(1))])
    instance = Instance.objects.get(series=outcome.series_id)
    path = path_of(instance).rsplit("/instances", 1)[0]
    frame, whole = get(path_of(instance) + "/frames/1", accept=OCTETS).content, stored(instance)
    assert frame == slice_pixels(1).tobytes()
    assert get(path, accept="application/zip").status_code == 406
    sealing.seal(outcome.series_id)
    instance.refresh_from_db()
    assert instance.object_offset > 0
    remembered.forget_everything()
    assert get(path_of(instance) + "/frames/1", accept=OCTETS).content == frame
    assert get(path_of(instance), accept="application/dicom; transfer-syntax=*").content == whole
    answer = get(path, accept="application/zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()] == [whole]


def test_bytes_that_were_moved_a_moment_ago_are_found_where_they_are_now(get, take):
    (outcome,) = take([part_10(header(), slice_pixels(1))])
    instance = Instance.objects.get(series=outcome.series_id)
    path, loose = path_of(instance), instance.object_key
    whole = get(path, accept="application/dicom").content
    sealing.seal(outcome.series_id)
    storage().delete(loose)
    assert get(path, accept="application/dicom").content == whole
    assert get(path + "/frames/1", accept=OCTETS).content == slice_pixels(1).tobytes()


def test_head_tells_the_length_and_sends_nothing(get, chest):
    for path in ("", "/frames/1", "/metadata"):
        address = path_of(chest.instances.first()) + path
        head, body = (
            get(address, method="HEAD", accept_encoding="identity"),
            get(address, accept_encoding="identity"),
        )
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["content-length"] == str(len(body.content))


def test_what_the_asker_has_already_is_not_sent_again(get, chest):
    for path in ("/frames/1", "/metadata", "/rendered"):
        address = path_of(chest.instances.first()) + path
        first = get(address)
        assert first.headers["cache-control"] == "private, no-cache"
        again = get(address, if_none_match=first.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")


def test_strangers_get_nothing_at_any_address(get, chest, stranger):
    base = f"/dicomweb/studies/{chest.study.study_instance_uid}"
    series = f"{base}/series/{chest.series_instance_uid}"
    instance = path_of(chest.instances.first())
    for path in (base, series, instance):
        for end in ("", "/metadata", "/rendered", "/thumbnail"):
            assert get(path + end, user=stranger).status_code == 404
            assert get(path + end, user=None).status_code == 401
    for end in ("/frames/1", "/frames/1/rendered", "/bulkdata/7FE00010"):
        assert get(instance + end, user=stranger).status_code == 404
        assert get(instance + end, user=None).status_code == 401


def test_an_image_that_came_a_moment_ago_is_found_at_once(get, take):
    from tests.atlas.slices import series

    files = series([(0, 0, 0), (0, 0, 1)])
    (first,) = take(files[:1])
    one = Instance.objects.get(series=first.series_id)
    assert get(path_of(one) + "/frames/1").status_code == 200
    take(files[1:])
    for instance in Instance.objects.filter(series=first.series_id):
        assert get(path_of(instance) + "/frames/1").status_code == 200


def test_who_looks_at_a_series_is_recorded_once_an_hour(get, chest, manager):
    for _ in range(2):
        get(path_of(chest.instances.first()) + "/frames/1")
    lines = AuditRecord.objects.filter(verb="series.viewed")
    assert [(line.actor, line.object_id) for line in lines] == [(manager, chest.pk)]


def test_other_methods_and_addresses_are_refused_with_a_sentence(get, chest):
    assert get("/dicomweb/").status_code == 404
    assert get("/dicomweb/patients").status_code == 404
    assert get("/dicomweb/studies", method="DELETE").status_code == 405
    answer = get("/dicomweb/studies", method="POST")
    assert answer.status_code == 405
    assert "dataset" in answer.json()["reason"]
    assert Series.objects.count() == 1
