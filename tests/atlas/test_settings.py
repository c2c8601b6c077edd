"""What the environment says reaches the settings."""

import pytest

from atlas.settings import _database


@pytest.mark.parametrize(
    ("url", "host", "options"),
    [
        (
            "postgresql://atlas:s%20t@db.example:6432/node?sslmode=require",
            "db.example",
            {"sslmode": "require"},
        ),
        ("postgresql://atlas:s%20t@/node?host=/run/postgresql&port=6432", "/run/postgresql", {}),
    ],
)
def test_a_database_url_keeps_its_parameters(monkeypatch, tmp_path, url, host, options):
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("ATLAS_DATABASE_POOL", "0")
    database = _database(tmp_path)
    assert (database["HOST"], database["PORT"], database["NAME"]) == (host, "6432", "node")
    assert (database["USER"], database["PASSWORD"], database["OPTIONS"]) == ("atlas", "s t", options)
