"""The vault: the way back from a pseudonym to its source, for an organisation that turned one on.

Entries are written sealed to the organisation's public key and leave sealed. The private key is made and kept
away from this node: `manage.py make_vault_key`, `manage.py open_vault`.
"""

import base64
from collections.abc import Iterator, Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404

from accounts import audit, permissions
from accounts.models import Organisation, User
from atlas.archive import vault_seal
from atlas.dicom import values
from atlas.dicom.deidentify import Original
from atlas.dicom.headers import Header
from atlas.models import Dataset, Vault, VaultEntry

audit.register("vault.turned_on", "vault.exported")

EXPORT_HEAD = "kind,pseudonym,sealed\r\n"
Kind = VaultEntry.Kind


@transaction.atomic
def turn_on(*, by: User, organisation: Organisation, public_key: str) -> Vault:
    """Keep the way back for images that arrive from now on. Raises ValidationError."""
    permissions.require(by, "manage_organisation", organisation)
    try:
        key = vault_seal.read_public_key(public_key)
    except ValueError as error:
        raise ValidationError({"public_key": str(error)}) from error
    is_on = ValidationError("The vault is on already. Its key can't be changed: entries are sealed to it.")
    if Vault.objects.filter(organisation=organisation).exists():
        raise is_on
    try:
        with transaction.atomic():
            vault = Vault.objects.create(
                organisation=organisation, public_key=vault_seal.write_public_key(key), turned_on_by=by
            )
    except IntegrityError as error:  # two managers at once
        raise is_on from error
    audit.record(by, "vault.turned_on", organisation)
    return vault


def remember(dataset: Dataset, entries: Sequence[tuple[Original, int, Header]]) -> int:
    """Seal what de-identified files were called at their source: (original, primary key of the subject, new
    header) each. Nothing happens where the organisation has no vault. Returns how many entries are new.

    Called within the transaction that indexes the files; entries that are here already stay as they are.
    """
    vault = Vault.objects.filter(organisation_id=dataset.organisation_id).first() if entries else None
    if vault is None:
        return 0
    wanted: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
    for original, subject_id, header in entries:
        of_file = header.dataset
        patient = {"patient_id": original.patient_id, "issuer": original.issuer}
        wanted[Kind.PATIENT, values.text(of_file, "PatientID")] = subject_id, patient
        wanted[Kind.STUDY, values.uid(of_file, "StudyInstanceUID")] = subject_id, {"uid": original.study_uid}
        wanted[Kind.SERIES, values.uid(of_file, "SeriesInstanceUID")] = (
            subject_id,
            {"uid": original.series_uid},
        )
    known = set(
        VaultEntry.objects.filter(
            vault=vault, pseudonym__in=[pseudonym for _, pseudonym in wanted]
        ).values_list("kind", "pseudonym")
    )
    key = vault_seal.read_public_key(vault.public_key)
    rows = [
        VaultEntry(
            vault=vault,
            subject_id=subject_id,
            kind=kind,
            pseudonym=pseudonym,
            sealed=vault_seal.seal(content, belongs_to(kind, pseudonym), key),
        )
        for (kind, pseudonym), (subject_id, content) in sorted(wanted.items())  # one order for all senders
        if pseudonym and (kind, pseudonym) not in known
    ]
    VaultEntry.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def belongs_to(kind: str, pseudonym: str) -> str:
    """What an entry is sealed together with."""
    return f"{kind}:{pseudonym}"


def export(*, by: User, organisation: Organisation) -> Iterator[str]:
    """Every entry as a line of CSV, still sealed. Right and record come before the first line is asked for.

    Raises PermissionDenied, and Http404 for a stranger or where there is no vault.
    """
    permissions.require(by, "open_vault", organisation)
    vault = Vault.objects.filter(organisation=organisation).first()
    if vault is None:
        raise Http404("This organisation has no vault.")
    audit.record(by, "vault.exported", organisation, entries=vault.entries.count())
    return _lines(vault)


def _lines(vault: Vault) -> Iterator[str]:
    yield EXPORT_HEAD
    rows = vault.entries.order_by("pk").values_list("kind", "pseudonym", "sealed")
    for kind, pseudonym, sealed in rows.iterator(chunk_size=2000):
        yield f"{kind},{pseudonym},{base64.b64encode(bytes(sealed)).decode()}\r\n"
