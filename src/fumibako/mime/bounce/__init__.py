"""Error mails: recognised as what they are and read recipient by recipient, in the dialects of the mail systems."""

from __future__ import annotations

from fumibako.mime.bounce.heads import head_is_bounce
from fumibako.mime.bounce.reasons import REASONS
from fumibako.mime.bounce.recognising import recognise
from fumibako.mime.bounce.report import Failure, Kind, Original, Report

__all__ = ["REASONS", "Failure", "Kind", "Original", "Report", "head_is_bounce", "recognise"]
