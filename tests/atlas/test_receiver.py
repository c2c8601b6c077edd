"""C-ECHO and C-STORE: pynetdicom's and dcmtk's senders, titles that are checked, TLS, statuses."""

import datetime
import io
import socket
import subprocess
import tempfile
from pathlib import Path

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydicom.data import get_testdata_file
from pynetdicom import AE, _config

from atlas.archive import committing, intake, receiver
from atlas.archive.intake import OutOfSpace
from atlas.models import Dataset, Instance, Receiver
from tests.atlas.slices import header, part_10, pixels, series

pytestmark = pytest.mark.django_db(transaction=True)

CT = "1.2.840.10008.5.1.4.1.1.2"
ECHO = "1.2.840.10008.1.1"
EXPLICIT, JPEG_2000 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def titles(dataset) -> Receiver:
    return Receiver.objects.create(
        dataset=dataset, called_ae_title="KARLSUND_CT", calling_ae_titles=["SCANNER"]
    )


@pytest.fixture
def receiving(port, titles, monkeypatch):
    """A receiver on a port of its own; call it to begin with other settings."""
    before, chunked = tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET
    servers = []

    def begin(**options) -> None:
        servers.append(receiver.listen("127.0.0.1", port, **options))

    yield begin
    for server in servers:
        server.shutdown()
    tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET = before, chunked
    if committing.committer._thread is not None:
        committing.committer._thread.join(5)


@pytest.fixture
def associate(port):
    opened = []

    def associate(calling="SCANNER", called="KARLSUND_CT", syntax=EXPLICIT, **options):
        sender = AE(ae_title=calling)
        sender.add_requested_context(CT, syntax)
        sender.add_requested_context(ECHO)
        opened.append(sender.associate("127.0.0.1", port, ae_title=called, **options))
        return opened[-1]

    yield associate
    for association in opened:
        if association.is_established:
            association.release()


def read(content: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(content))


def test_an_echo_is_answered_and_images_are_stored(receiving, associate, port, settings):
    receiving()
    line = associate()
    assert line.send_c_echo().Status == 0x0000
    files = [read(one) for one in series([(0, 0, z) for z in range(3)])]
    assert [line.send_c_store(one).Status for one in files] == [0x0000] * 3
    assert [line.send_c_store(one).Status for one in files[:1]] == [0x0000]  # known already
    assert Instance.objects.count() == 3
    line.release()
    assert list((Path(settings.ATLAS_HOME) / "incoming" / str(port)).iterdir()) == []


def test_elements_changed_at_the_door_are_a_warning(receiving, associate, titles, organisation):
    titles.dataset = Dataset.objects.create(
        organisation=organisation, name="Door", slug="door", deidentification="at_the_door"
    )
    titles.save()
    receiving()
    image = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    assert associate().send_c_store(image).Status == 0xB000
    assert Instance.objects.get().sop_instance_uid != image.SOPInstanceUID


@pytest.mark.parametrize(
    ("calling", "called", "diagnostic"), [("OTHER", "KARLSUND_CT", 3), ("SCANNER", "NOBODY", 7)]
)
def test_who_is_not_listed_is_rejected_with_the_right_reason(
    receiving, associate, calling, called, diagnostic
):
    receiving()
    line = associate(calling, called)
    assert line.is_rejected
    answer = line.acceptor.primitive
    assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, diagnostic)


def test_only_the_titles_it_was_told_are_answered(receiving, associate):
    receiving(ae_titles={"SOMETHING"})
    assert associate().is_rejected


def test_images_that_identify_or_have_no_place_are_refused_with_a_comment(receiving, associate):
    receiving()
    line = associate()
    answer = line.send_c_store(read(part_10(header(PatientBirthDate="19580307"), pixels(1))))
    assert answer.Status == 0xC000
    assert answer.ErrorComment.startswith("The file is not de-identified")
    first = header()
    assert line.send_c_store(read(part_10(first, pixels(1)))).Status == 0x0000
    other = header(SOPInstanceUID=first.SOPInstanceUID, StudyInstanceUID=first.StudyInstanceUID)
    assert line.send_c_store(read(part_10(other, pixels(2)))).Status == 0x0111
    moved = header(StudyInstanceUID=first.StudyInstanceUID, PatientID="NH-2")
    assert line.send_c_store(read(part_10(moved, pixels(2)))).Status == 0xA900
    assert Instance.objects.count() == 1


def test_a_full_disk_is_out_of_resources_and_the_receiver_lives_on(receiving, associate, monkeypatch):
    def full(entry):
        raise OutOfSpace("full")

    receiving()
    line = associate()
    image = read(part_10(header(), pixels(1)))
    monkeypatch.setattr(intake, "store", full)
    assert line.send_c_store(image).Status == 0xA700
    monkeypatch.undo()
    assert line.send_c_store(image).Status == 0x0000


def test_compressed_images_are_kept_as_they_come(receiving, associate):
    receiving()
    image = pydicom.dcmread(get_testdata_file("693_J2KI.dcm"))
    for keyword in ("PatientName", "PatientBirthDate", "ReferringPhysicianName", "InstitutionName"):
        setattr(image, keyword, "")
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = CT
    line = associate(syntax=image.file_meta.TransferSyntaxUID)
    answer = line.send_c_store(image)
    assert answer.Status == 0x0000, answer
    assert Instance.objects.get().transfer_syntax_uid == image.file_meta.TransferSyntaxUID


@pytest.mark.judge
def test_storescu_sends_a_folder(receiving, port, tmp_path):
    receiving()
    for at, content in enumerate(series([(0, 0, z) for z in range(4)])):
        (tmp_path / f"{at}.dcm").write_bytes(content)
    command = [
        "storescu",
        "-aet",
        "SCANNER",
        "-aec",
        "KARLSUND_CT",
        "+sd",
        "127.0.0.1",
        str(port),
        str(tmp_path),
    ]
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert Instance.objects.count() == 4


def test_over_tls_only_senders_with_a_certificate_of_the_authority_get_in(receiving, associate, tmp_path):
    import ssl

    certificate, key = tmp_path / "node.pem", tmp_path / "node.key"
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    receiving(tls=receiver.tls_context(certificate, key, certificate))
    sender = ssl.create_default_context(cafile=str(certificate))
    sender.check_hostname = False
    assert not associate(tls_args=(sender, None)).is_established
    sender.load_cert_chain(certificate, key)
    line = associate(tls_args=(sender, None))
    assert line.send_c_echo().Status == 0x0000
    assert not associate().is_established  # without TLS
