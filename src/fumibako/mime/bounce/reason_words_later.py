"""Wider words for the same reasons: tried only when neither the sure words nor the enhanced status told one."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.reason_names import Table

LATER: Final[Table] = (
    ("mesgtoobig", (
        "{message|mail|email|e-mail|body|data|it|size|attachment*|messages} ~5 {TOOBIG}",
        "{message|mail|email|body} size", "{exceed*|larger than|bigger than|over} ~5 {size|message size}",
        "{exceed*|larger than|bigger than|over} ~5 {size limit|maximum size|maximum message}",
        "size {limit|restriction|exceeded}", "too {large|big} {message|mail|for}",
        "maximum {size|message|allowed size|message size|allowed}", "message length", "too large", "too big",
        "{mailsize|messagesize} limit",
    )),
    ("policyviolation", (
        "protocol violation", "policy {reject*|restriction*|prohibits|on}",
        "{local|site|our|due to|by|against|because of} policy",
        "{security|recipient|content|message|organization|company|sending|email|mail|usage|corporate} policy",
        "policies",
        "administrat* {prohibit*|reason*|reject*|den*}", "administrative prohibition",
        "rejected by ~3 {rule|policy|administrator}", "against our", "terms of {service|use}", "mail rule",
        "transport rule*", "violates ~3 policy", "content ~2 not acceptable", "message not allowed",
        "we do not accept",
    )),
    ("mailererror", (
        "mailer error", "command {failed|output|died|exited|not found|time limit*}", "pipe to", "procmail",
        "exit {status|code}", "local delivery", "died with", "x-unix", "delivery agent",
        "cannot {exec|execute|append|open mailbox|lock|open}", "couldn't create", "maildrop", "sieve",
        "unknown mailer", "/var/*", "/home/*", "/usr/*", "can't create output", "i/o error",
        "operating system error",
    )),
    ("systemerror", (
        "several matches found", "lowest numbered mx record points to local host",
        "system error", "internal ~2 {error|failure|problem}", "{configuration|config} ~1 {error|problem}",
        "misconfigur*", "local {configuration|error|problem|host}",
        "{server|mail system|system} ~3 {error|failure|unavailable|problem|shortage}",
        "{service|resources|ldap|database} ~3 {error|failure|unavailable|problem|shortage}",
        "{server|mail system|system} ~3 {busy|failed|not available|not ready|exception|down}",
        "{service|resources|ldap|database} ~3 {busy|failed|not available|not ready|exception|down}",
        "{directory|backend|queue file} ~3 {error|failure|unavailable|problem|shortage}",
        "{disk|memory|lookup|transport} ~3 {error|failure|unavailable|problem|shortage}",
        "{directory|backend|queue file} ~3 {busy|failed|not available|not ready|exception|down}",
        "{disk|memory|lookup|transport} ~3 {busy|failed|not available|not ready|exception|down}", "out of memory",
        "cannot {write|read|allocate}", "try again later", "try later", "requested action aborted",
        "local error in processing", "unable to process", "other mail system problem", "timed out while",
        "temporar* ~2 {error|problem|unavailable}", "loop*", "alias ~2 recurs*",
    )),
    ("userunknown", (
        "mailbox {unavailable|not available|is unavailable|disabled}",
        "{recipient|address|user|addressee|rcpt|recipients|mailbox} ~3 {REFUSED}", "address rejected",
        "{rejected|undeliverable|refused} ~1 {address|recipient|user|recipients}",
        "{bad|denied|undeliverable to|reject} ~1 {address|recipient|user|recipients}", "address rejected",
        "recipient {rejected|refused|denied|disallowed}", "not deliverable", "undeliverable address",
        "does not exist", "not exist", "invalid address",
        "{unable to|cannot|can't|could not|couldn't} deliver ~3 {user|recipient|mailbox|account|address}",
        "address ~2 incorrect", "no recipient*", "unknown recipient", "mailbox is not",
        "{CANNOT} be verified ~3 {recipient|user|mailbox}", "recipient* not in ~3 list",
        "{user|recipient} is not local", "not match any ~1 {user|account|mailbox}",
    )),
    ("securityerror", (
        "{access|permission} ~3 {denied|required|failed|failure|not authorized}",
        "{authorization|authentication} ~3 {denied|required|failed|failure|not authorized}",
        "{delivery|sending|login|authorisation} ~3 {denied|required|failed|failure|not authorized}",
        "{access|permission|authorization|authentication} ~3 {not allowed|not permitted|disallowed}",
        "{access|permission|authorization|authentication} ~3 {rejected|unsuccessful|restricted}",
        "{delivery|sending|login|authorisation} ~3 {not allowed|not permitted|disallowed}",
        "{delivery|sending|login|authorisation} ~3 {rejected|unsuccessful|restricted}", "not authorized",
        "not authorised", "unauthorized", "authenticat*", "credential*", "security", "denied", "unauthenticated",
        "you are not {allowed|permitted}", "prohibited", "restricted",
    )),
    ("filtered", (
        "cannot route mail to user", "user reject",
        "filter*", "{REFUSED} ~2 {by|for} ~2 {recipient|user|mailbox|addressee|owner|receiver}",
        "{user|recipient|addressee|owner} ~3 {not wish|doesn't want|does not want|preferences}",
        "{user|recipient|addressee|owner} ~3 {settings|only accepts|whitelist*|declined}", "challenge*",
        "not accept* ~3 {mail|messages|message}",
    )),
    ("networkerror", ("not responding",)),
    ("syntaxerror", ("syntax error", "synchronization error", "parameters ~2 invalid")),
    ("onhold", (
        "on hold", "held for", "being held", "awaits moderator*", "moderat*",
    )),
)  # fmt: skip
