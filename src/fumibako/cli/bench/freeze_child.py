"""One freeze, in a process of its own: the people are made first, and only approving is measured."""

from __future__ import annotations

import argparse
import resource


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many people, and what the account is like."""
    parser.add_argument("people", type=int)
    parser.add_argument("port", type=int)


def run(args: argparse.Namespace) -> int:
    """Make, look, approve; print one line."""
    from fumibako.cli.starting import open_database, start_django

    start_django()
    open_database()
    from fumibako.cli.bench import office
    from fumibako.cli.bench.measured import Stopwatch, show, surroundings

    account = office.make_office(args.people, connections=1, port=args.port)
    draft = office.make_draft(account)
    mail_count = office.confirm_all(draft)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    watch = Stopwatch()
    job = office.approve(draft, mail_count)
    facts = watch.facts(args.people)
    settings = surroundings() | office.database_facts()
    show(**facts, grown_mb=round(facts["peak_rss_mb"] - before, 1), mails=job.selected_count, settings=settings)
    return 0
