"""One freeze, in processes of their own: one makes the people and the draft, one inspects it, one approves it."""

from __future__ import annotations

import argparse

from fumibako.cli.bench.measured import profiled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many people, and which part."""
    parser.add_argument("people", type=int)
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--look", action="store_true", help="the same, and they are inspected only")
    parser.add_argument("--made", action="store_true", help="the people and the draft are there")
    parser.add_argument("--profile", default="", metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Make, inspect or approve; print one line."""
    from fumibako.cli.starting import open_database, start_django

    start_django()
    open_database()
    from django.utils import timezone

    from fumibako.apps.sending.inspection import inspect
    from fumibako.cli.bench import office
    from fumibako.cli.bench.measured import Stopwatch, peak_mb, show, surroundings

    if not (args.made or args.look):
        account = office.make_office(args.people, connections=args.connections, port=args.port)
        show(mails=office.confirm_all(office.make_draft(account)))
        return 0
    draft = office.only_draft()
    before = peak_mb()
    watch = Stopwatch()
    if args.look:
        mails = profiled(args.profile, lambda: inspect(draft, timezone.now())).counts.mail_count
    else:
        mails = profiled(args.profile, lambda: office.approve(draft, args.people)).selected_count
    facts = watch.facts(args.people)
    settings = surroundings() | office.database_facts()
    show(**facts, grown_mb=round(facts["peak_rss_mb"] - before, 1), mails=mails, settings=settings)
    return 0
