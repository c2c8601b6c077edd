"""Settings for tests: those of the product, on a throwaway node of this test session.

Importing this starts nothing. pytest's main process imports it first, so that the processes of
pytest-xdist inherit ATLAS_HOME and share one PostgreSQL, which tests/conftest.py starts and stops.
"""

import os
import tempfile

SESSION_HOME = "ATLAS_TEST_SESSION_HOME"

if SESSION_HOME not in os.environ:
    # /tmp and not $TMPDIR: the path of a Unix socket is limited to about 100 bytes.
    os.environ[SESSION_HOME] = tempfile.mkdtemp(prefix="atlas-tests-", dir="/tmp")
os.environ["ATLAS_HOME"] = os.environ[SESSION_HOME]
os.environ["ATLAS_DATABASE_POOL"] = "0"  # open pools would block databases from being dropped
os.environ.pop("DATABASE_URL", None)  # never someone's own database

from atlas.settings import *  # noqa: E402, F403

# Test processes run side by side: each counts its own objects.
OBJECTS_DIR = ATLAS_HOME / "objects" / os.environ.get("PYTEST_XDIST_WORKER", "main")  # noqa: F405
KEYS_DIR = ATLAS_HOME / "keys" / os.environ.get("PYTEST_XDIST_WORKER", "main")  # noqa: F405
OBJECTS_URL = ""

DATABASES["default"]["ENGINE"] = "tests.database"  # noqa: F405

MIDDLEWARE = [
    "tests.static_files.ScannedOnce" if name.startswith("whitenoise.") else name
    for name in MIDDLEWARE  # noqa: F405
]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # sign-in in tests costs no second
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
