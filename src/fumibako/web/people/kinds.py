"""The three kinds of people as a part of an address."""

from __future__ import annotations

from django.urls import register_converter


class KindConverter:
    """staff, client or applicant."""

    regex = "staff|client|applicant"

    def to_python(self, value: str) -> str:
        """The kind as the models spell it."""
        return value

    def to_url(self, value: str) -> str:
        """The kind as it stands in an address."""
        return value


register_converter(KindConverter, "kind")
