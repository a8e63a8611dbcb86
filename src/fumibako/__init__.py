"""Fumibako: a mail desk that never writes twice, never loses a mail and never leaves you wondering."""

__version__ = "0.1.0"
