"""Django: flush, migrate and loaddata of a fixture, as a project's own reset script would."""
# mypy: disable-error-code="import-not-found, import-untyped, misc, no-untyped-call"

from __future__ import annotations

import sys

import django
from django.conf import settings
from django.core.management import call_command


def main(file: str, fixture: str) -> None:
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file}},
        INSTALLED_APPS=["benchmarks.peers.django_school"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=False,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    call_command("migrate", verbosity=0)
    call_command("loaddata", fixture, verbosity=0)
    print("done")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
