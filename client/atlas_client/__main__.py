"""`python -m atlas_client`."""

import sys

from atlas_client.cli import main

sys.exit(main())
