import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Mod

# All that an index can find a series by, as short texts: one letter says what kind of text follows.
# atlas/dicomweb/tokens.py asks with the same letters.
TOKENS = """
CREATE FUNCTION atlas_search_tokens(
    dataset bigint, modality text, body_part text, number integer, description text, day date,
    study_description text, pseudonym text, sex text
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[
        'a' || dataset::text, 'm' || modality, 'b' || body_part, 'n' || coalesce(number::text, ''),
        'd' || description, 'D' || study_description, 'p' || pseudonym, 's' || sex, 't' || CASE
            WHEN extract(year FROM day) BETWEEN 1800 AND 2099
            THEN (extract(year FROM day) * 10000 + extract(month FROM day) * 100
                + extract(day FROM day))::integer::text
            ELSE 'other'  -- no day among them
        END
    ]
    || CASE WHEN extract(year FROM day) BETWEEN 1800 AND 2099 THEN ARRAY[
        't' || (extract(year FROM day)::integer / 100)::text,
        't' || (extract(year FROM day)::integer / 10)::text,
        't' || extract(year FROM day)::integer::text,
        't' || (extract(year FROM day) * 100 + extract(month FROM day))::integer::text
    ] ELSE ARRAY[]::text[] END
    || array(
        SELECT DISTINCT 'g' || pg_catalog.substr(description, at, 3)
        FROM pg_catalog.generate_series(1, pg_catalog.length(description) - 2) AS at
    )
    || array(
        SELECT DISTINCT 'G' || pg_catalog.substr(study_description, at, 3)
        FROM pg_catalog.generate_series(1, pg_catalog.length(study_description) - 2) AS at
    )
    || array(
        SELECT 'q' || pg_catalog.left(pseudonym, letters) FROM pg_catalog.generate_series(3, 8) AS letters
        WHERE pg_catalog.length(pseudonym) >= letters
    )
$$;
"""

COLUMNS = """series_id, organisation_id, study_id, dataset_id, modality, number, description, body_part,
    study_date, study_description, pseudonym, sex"""

ROWS = """
SELECT series.id, series.organisation_id, study.id, study.dataset_id, series.modality, series.number,
    series.description, series.body_part, study.date, study.description, subject.pseudonym, subject.sex
FROM atlas_series AS series
JOIN atlas_study AS study ON study.id = series.study_id
JOIN atlas_subject AS subject ON subject.id = study.subject_id
"""

FILL = f"""
ALTER TABLE atlas_searchedseries ADD CONSTRAINT searched_with_their_series
    FOREIGN KEY (series_id) REFERENCES atlas_series (id) ON DELETE CASCADE;
INSERT INTO atlas_searchedseries ({COLUMNS}) {ROWS} ORDER BY study.id * 2654435761 % 4294967296, series.id;
"""

INDEX = """
CREATE INDEX searched_by_tokens ON atlas_searchedseries USING gin (atlas_search_tokens(
    dataset_id, modality, body_part, number, description, study_date, study_description, pseudonym, sex
)) WITH (gin_pending_list_limit = 1024);
ALTER INDEX searched_by_tokens ALTER COLUMN 1 SET STATISTICS 1000;
"""

TRIGGERS = f"""
CREATE FUNCTION atlas_search_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO atlas_searchedseries ({COLUMNS}) {ROWS} WHERE series.id = NEW.id
    ON CONFLICT (series_id) DO UPDATE SET
        study_id = excluded.study_id, dataset_id = excluded.dataset_id, modality = excluded.modality,
        number = excluded.number, description = excluded.description, body_part = excluded.body_part,
        study_date = excluded.study_date, study_description = excluded.study_description,
        pseudonym = excluded.pseudonym, sex = excluded.sex;
    RETURN NULL;
END $$;
CREATE FUNCTION atlas_search_study() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE atlas_searchedseries AS searched SET
        dataset_id = NEW.dataset_id, study_date = NEW.date, study_description = NEW.description,
        pseudonym = subject.pseudonym, sex = subject.sex
    FROM atlas_subject AS subject WHERE searched.study_id = NEW.id AND subject.id = NEW.subject_id;
    RETURN NULL;
END $$;
CREATE FUNCTION atlas_search_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE atlas_searchedseries AS searched SET pseudonym = NEW.pseudonym, sex = NEW.sex
    FROM atlas_study AS study WHERE study.subject_id = NEW.id AND searched.study_id = study.id;
    RETURN NULL;
END $$;
CREATE TRIGGER searched AFTER INSERT OR UPDATE OF study_id, modality, number, description, body_part
    ON atlas_series FOR EACH ROW EXECUTE FUNCTION atlas_search_series();
CREATE TRIGGER searched AFTER UPDATE OF dataset_id, date, description, subject_id
    ON atlas_study FOR EACH ROW EXECUTE FUNCTION atlas_search_study();
CREATE TRIGGER searched AFTER UPDATE OF pseudonym, sex
    ON atlas_subject FOR EACH ROW EXECUTE FUNCTION atlas_search_subject();
"""  # noqa: S608 names of this file

BACK = """
DROP TRIGGER searched ON atlas_series;
DROP TRIGGER searched ON atlas_study;
DROP TRIGGER searched ON atlas_subject;
DROP FUNCTION atlas_search_series();
DROP FUNCTION atlas_search_study();
DROP FUNCTION atlas_search_subject();
"""

OLD = """
CREATE FUNCTION atlas_grams(written text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array(
        SELECT DISTINCT pg_catalog.substr(written, at, 3)
        FROM pg_catalog.generate_series(1, pg_catalog.length(written) - 2) AS at
    )
$$;
CREATE INDEX series_by_grams ON atlas_series USING gin (atlas_grams(description));
CREATE INDEX studies_by_grams ON atlas_study USING gin (atlas_grams(description));
"""


def key(model: str, name: type[models.ForeignKey] = models.ForeignKey, **options) -> models.ForeignKey:
    """A number that the triggers keep right; Django neither checks it nor follows it when it deletes."""
    return name(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to=model, **options)


class Migration(migrations.Migration):
    dependencies = [("atlas", "0005_searches")]

    operations = [
        migrations.CreateModel(
            name="SearchedSeries",
            fields=[
                (
                    "series",
                    key(
                        "atlas.series",
                        models.OneToOneField,
                        primary_key=True,
                        related_name="searched",
                        serialize=False,
                    ),
                ),
                ("organisation", key("accounts.organisation", db_index=False, related_name="+")),
                ("study", key("atlas.study", related_name="+")),
                ("dataset", key("atlas.dataset", db_index=False, related_name="+")),
                (
                    "place",
                    models.GeneratedField(
                        db_persist=True,
                        expression=Mod(
                            F("study_id") * 2654435761, 4294967296, output_field=models.BigIntegerField()
                        ),
                        output_field=models.BigIntegerField(),
                    ),
                ),
                ("modality", models.CharField(max_length=16)),
                ("number", models.IntegerField(null=True)),
                ("description", models.CharField(max_length=64)),
                ("body_part", models.CharField(max_length=16)),
                ("study_date", models.DateField(null=True)),
                ("study_description", models.CharField(max_length=64)),
                ("pseudonym", models.CharField(max_length=64)),
                ("sex", models.CharField(max_length=1)),
            ],
            options={"verbose_name_plural": "searched series"},
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="searchedseries",
            index=models.Index(
                fields=["place", "series"],
                include=(
                    *("study", "dataset", "modality", "number", "description", "body_part"),
                    *("study_date", "study_description", "pseudonym", "sex"),
                ),
                name="searched_by_place",
            ),
        ),
        # What searches were answered by until now.
        migrations.RunSQL(
            "DROP INDEX series_by_grams; DROP INDEX studies_by_grams; DROP FUNCTION atlas_grams(text);"
            " ALTER TABLE atlas_series ALTER description SET STATISTICS -1",
            OLD,
        ),
        *(
            migrations.RemoveIndex(model_name=model, name=name)
            for model, name in (
                ("series", "series_by_modality"),
                ("series", "series_by_body_part"),
                ("series", "series_by_description"),
                ("series", "series_by_number"),
                ("study", "studies_by_date"),
                ("study", "studies_by_description"),
            )
        ),
        migrations.RunSQL(
            TOKENS + INDEX,
            "DROP INDEX searched_by_tokens; DROP FUNCTION atlas_search_tokens",
        ),
        migrations.RunSQL(TRIGGERS, BACK),
    ]
