"""``python -m khaosat``."""

from khaosat.cli import main

raise SystemExit(main())
