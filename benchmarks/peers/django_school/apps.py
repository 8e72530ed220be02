"""The application's name."""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

from django.apps import AppConfig


class School(AppConfig):
    name = "benchmarks.peers.django_school"
    label = "school"
