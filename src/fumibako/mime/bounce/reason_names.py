"""Names for groups of words that the phrases about reasons share (notation: phrases.py)."""

from __future__ import annotations

from typing import Final

Table = tuple[tuple[str, tuple[str, ...]], ...]
"""Reason and its phrases, in the order they are tried."""

NAMES: Final = {
    "BOX": (
        "mailbox|mail box|mail-box|inbox|in-box|account|user|recipient|mail folder|mailfolder|maildir|"
        "maildrop|mail drop|addressee|storage|box|mail account|email account|user's mailbox|users mailbox|"
        "recipients mailbox|recipient's mailbox"
    ),
    "WHO": (
        "user|users|username|user name|userid|user id|mailbox|mail box|recipient|recipients|recipient's|"
        "addressee|account|alias|address|addresses|e-mail|email|local part|local-part|localpart|person|"
        "customer|subscriber|mailaddress|mail address|forward-path|distribution list"
    ),
    "NOT": (
        "not exist|not exists|doesn't exist|does not exist|doesnt exist|did not exist|didn't exist|"
        "don't exist|do not exist|no longer exist|no longer exists|not found|wasn't found|couldn't be found|"
        "could not be found|can't be found|cannot be found|can not be found|unknown|invalid|nonexistent|"
        "non-existent|non existent|inexistent|not known|not recognized|not recognised|unrecognized|"
        "not valid|isn't valid|is not valid|no longer available|no longer valid|no longer here|"
        "no longer active|no longer in use|no longer employed|no longer with|not available here|not here|"
        "isn't known|isn't registered|isn't listed|isn't available|isn't in use|isn't recognized|"
        "not listed|not present|not registered|not defined|undefined|does not have an account|is wrong|"
        "misspelled|no such"
    ),
    "SENDER": (
        "sender|senders|sender's|mail from|mail-from|envelope from|envelope-from|envelope sender|"
        "return path|return-path|originator|reverse-path|reverse path|from address|from-address|from domain|"
        "sending domain|from: address|from header|header from|sending address|source address"
    ),
    "REFUSED": (
        "rejected|reject|rejects|denied|refused|refuses|not allowed|not accepted|not permitted|blocked|"
        "blacklisted|banned|barred|disallowed|not welcome|unwelcome|prohibited|forbidden|declined"
    ),
    "BLOCKED": (
        "blocked|banned|blacklisted|black listed|black-listed|blocklisted|block listed|block-listed|"
        "denylisted|barred|on our blacklist|on a blacklist|on our block list"
    ),
    "FAILED": (
        "fail|fails|failed|failure|failing|not pass|didn't pass|did not pass|does not pass|doesn't pass|"
        "invalid|error|hardfail|softfail|hard fail|soft fail|permerror|temperror|none|missing|violation|"
        "reject|rejected|not verified|did not verify|not verify|required|misaligned|unaligned"
    ),
    "TOOBIG": (
        "too large|too big|too long|too heavy|larger than|bigger than|longer than|greater than|exceeds|"
        "exceeded|exceeding|exceed|over the maximum|over maximum|over limit|over the limit|oversize|"
        "oversized"
    ),
    "CLIENT": (
        "ip|ip address|ips|ipv4|ipv6|host|server|mail server|mailserver|network|client|client host|isp|"
        "hosting provider|provider|netblock|mta|domain|system|sending system|sender ip|connection"
    ),
    "CANNOT": (
        "cannot|can't|can not|could not|couldn't|unable to|failed to|was not able to|did not|didn't"
    ),
}  # fmt: skip
"""What the names in the phrases stand for."""
