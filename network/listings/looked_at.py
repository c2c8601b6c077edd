"""Whether anything that a dataset's counts are made of can have changed, told without reading its facts.

PostgreSQL writes a changed row to another place (ctid), under the transaction that did so (xmin): the two say
which version of a row one sees, whoever changed it and in whatever column. So nothing is missed that a column
with a time would miss: an earlier time that is committed later, a row that is gone.
"""

import hashlib
import json

from django.conf import settings
from django.db import connection

from accounts.models import Organisation
from annotations.models import (
    Case,
    CaseStudy,
    Comparison,
    LabelSchema,
    Read,
    Recall,
    ReferenceStandard,
    Submission,
)
from atlas.models import ClinicalFact, Dataset, Series, Study, Subject
from network.facts.building import COLUMNS

_ROWS = "count(*), sum(hashtextextended(one.ctid::text || ' ' || one.xmin::text, one.id))"

# Marks and labels stand with their submission, whose row is written when they are (Submission.facts_at).
_SEEN = f"""
WITH studies AS MATERIALIZED (
    SELECT id, subject_id FROM {Study._meta.db_table} WHERE dataset_id = %(dataset)s
), cases AS MATERIALIZED (
    SELECT DISTINCT case_id AS id FROM {CaseStudy._meta.db_table} WHERE study_id IN (SELECT id FROM studies)
), reads AS MATERIALIZED (
    SELECT id FROM {Read._meta.db_table} WHERE case_id IN (SELECT id FROM cases)
)
SELECT 'study', {_ROWS} FROM {Study._meta.db_table} one WHERE dataset_id = %(dataset)s
UNION ALL SELECT 'series', {_ROWS} FROM {Series._meta.db_table} one
    WHERE study_id IN (SELECT id FROM studies)
UNION ALL SELECT 'subject', {_ROWS} FROM {Subject._meta.db_table} one
    WHERE id IN (SELECT subject_id FROM studies)
UNION ALL SELECT 'organisation', count(*), sum(hashtextextended(slug, id))
    FROM {Organisation._meta.db_table}
UNION ALL SELECT 'clinical', {_ROWS} FROM {ClinicalFact._meta.db_table} one WHERE dataset_id = %(dataset)s
UNION ALL SELECT 'case', {_ROWS} FROM {Case._meta.db_table} one WHERE id IN (SELECT id FROM cases)
UNION ALL SELECT 'study of case', {_ROWS} FROM {CaseStudy._meta.db_table} one
    WHERE case_id IN (SELECT id FROM cases)
UNION ALL SELECT 'recall', {_ROWS} FROM {Recall._meta.db_table} one WHERE case_id IN (SELECT id FROM cases)
UNION ALL SELECT 'read', {_ROWS} FROM {Read._meta.db_table} one WHERE id IN (SELECT id FROM reads)
UNION ALL SELECT 'submission', {_ROWS} FROM {Submission._meta.db_table} one
    WHERE read_id IN (SELECT id FROM reads)
UNION ALL SELECT 'reference', {_ROWS} FROM {ReferenceStandard._meta.db_table} one
    WHERE case_id IN (SELECT id FROM cases)
UNION ALL SELECT 'comparison', {_ROWS} FROM {Comparison._meta.db_table} one
    WHERE case_id IN (SELECT id FROM cases)
UNION ALL SELECT 'schema', {_ROWS} FROM {LabelSchema._meta.db_table} one
"""  # noqa: S608  # names of tables, nothing that was sent


def state_of(dataset: Dataset) -> str:
    """SHA-256; the same as before where counting anew would find what it found before. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"dataset": dataset.pk})
        rows = [[name, number, str(digest)] for name, number, digest in cursor.fetchall()]
    columns = {level: dict(names) for level, names in COLUMNS.items()}
    seen = [rows, columns, settings.DISCLOSURE_MINIMUM]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()
