"""One freeze, in two processes of their own: one makes the people and the draft, the other approves and is measured."""

from __future__ import annotations

import argparse

from fumibako.cli.bench.measured import profiled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many people, and which half."""
    parser.add_argument("people", type=int)
    parser.add_argument("port", type=int)
    parser.add_argument("--made", action="store_true", help="the people and the draft are there")
    parser.add_argument("--profile", default="", metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Make and look, or approve; print one line."""
    from fumibako.cli.starting import open_database, start_django

    start_django()
    open_database()
    from fumibako.cli.bench import office
    from fumibako.cli.bench.measured import Stopwatch, peak_mb, show, surroundings

    if not args.made:
        account = office.make_office(args.people, connections=1, port=args.port)
        show(mails=office.confirm_all(office.make_draft(account)))
        return 0
    draft = office.only_draft()
    before = peak_mb()
    watch = Stopwatch()
    job = profiled(args.profile, lambda: office.approve(draft, args.people))
    facts = watch.facts(args.people)
    settings = surroundings() | office.database_facts()
    show(**facts, grown_mb=round(facts["peak_rss_mb"] - before, 1), mails=job.selected_count, settings=settings)
    return 0
