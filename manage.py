#!/usr/bin/env python
"""Atlas's command line: `python manage.py help` lists what it can do."""

import os
import sys

WITHOUT_DATABASE = (["make_vault_key"], ["open_vault"], ["demo_federation"])  # no node of their own


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")
    if "DATABASE_URL" not in os.environ and sys.argv[1:2] not in WITHOUT_DATABASE:
        from atlas import postgres
        from atlas.home import atlas_home

        postgres.ensure_running(atlas_home())
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
