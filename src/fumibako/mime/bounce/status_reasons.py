"""What an enhanced status code stands for (RFC 3463, RFC 5248 and its registry), and what vendors added to them."""

from __future__ import annotations

from typing import Final

PLAIN: Final = {
    "1.1": "userunknown",
    "1.2": "hostunknown",
    "1.3": "userunknown",
    "1.4": "filtered",
    "1.5": "userunknown",
    "1.6": "hasmoved",
    # The sender's address is what was refused.
    "1.7": "rejected",
    "1.8": "rejected",
    "1.9": "systemerror",
    # RFC 7505: the domain says that it takes no mail.
    "1.10": "notaccept",
    "2.1": "filtered",
    "2.2": "mailboxfull",
    "2.3": "exceedlimit",
    "2.4": "filtered",
    "3.1": "systemfull",
    "3.2": "notaccept",
    "3.3": "systemerror",
    "3.4": "mesgtoobig",
    "3.5": "systemerror",
    "3.6": "systemerror",
    "4.1": "expired",
    "4.2": "networkerror",
    "4.3": "networkerror",
    "4.4": "hostunknown",
    "4.5": "systemerror",
    "4.6": "networkerror",
    "4.7": "expired",
    "4.8": "networkerror",
    "5.1": "syntaxerror",
    "5.2": "syntaxerror",
    "5.3": "toomanyconn",
    "5.4": "syntaxerror",
    "5.6": "mesgtoobig",
    "6.1": "contenterror",
    "6.2": "contenterror",
    "6.3": "contenterror",
    "6.5": "contenterror",
    "6.6": "contenterror",
    "6.7": "contenterror",
    "6.8": "contenterror",
    "6.9": "contenterror",
    "7.2": "securityerror",
    "7.3": "securityerror",
    "7.4": "securityerror",
    "7.5": "securityerror",
    "7.6": "securityerror",
    "7.7": "securityerror",
    "7.8": "securityerror",
    "7.9": "securityerror",
    "7.10": "failedstarttls",
    "7.11": "securityerror",
    "7.12": "securityerror",
    "7.13": "suspend",
    "7.14": "securityerror",
    "7.15": "speeding",
    "7.16": "speeding",
    # RFC 7293: the address has had another owner since then.
    "7.17": "hasmoved",
    "7.18": "hasmoved",
    "7.19": "hasmoved",
    "7.20": "authfailure",
    "7.21": "authfailure",
    "7.22": "authfailure",
    "7.23": "authfailure",
    "7.24": "authfailure",
    "7.25": "requireptr",
    "7.26": "authfailure",
    # RFC 7505: the sender's domain takes no mail.
    "7.27": "rejected",
    "7.28": "speeding",
    "7.29": "authfailure",
    "7.30": "failedstarttls",
}
"""Subject and detail → reason. Details .0 are in VAGUE: they yield to words."""

VAGUE: Final = {
    "1.0": "userunknown",
    "2.0": "filtered",
    "3.0": "systemerror",
    "4.0": "networkerror",
    "5.0": "systemerror",
    "6.0": "contenterror",
    "7.0": "securityerror",
    "7.1": "securityerror",
}
"""What is left when neither words nor a telling status say anything. 7.1, "not authorized", is nearly anything."""

VENDORS: Final = {
    # Google: https://support.google.com/a/answer/3726730
    "google": {
        "4.2.1": "speeding",
        "5.2.1": "suspend",
        "4.7.23": "requireptr",
        "5.7.23": "requireptr",
        "4.7.24": "authfailure",
        "4.7.25": "requireptr",
        "4.7.26": "authfailure",
        "4.7.27": "authfailure",
        "5.7.27": "authfailure",
        "4.7.28": "speeding",
        "5.7.28": "speeding",
        "4.7.29": "failedstarttls",
        "5.7.29": "failedstarttls",
        "4.7.30": "authfailure",
        "5.7.30": "authfailure",
        "4.7.31": "authfailure",
        "4.7.32": "authfailure",
        "5.7.32": "authfailure",
        "4.7.40": "authfailure",
        "5.7.40": "authfailure",
        "5.4.5": "exceedlimit",
        "5.1.2": "hostunknown",
        "5.3.4": "mesgtoobig",
    },
    # Microsoft 365 and Outlook.com: the list of codes in "Email non-delivery reports in Exchange Online".
    "microsoft": {
        "5.1.10": "userunknown",
        "5.1.20": "notcompliantrfc",
        "5.1.90": "exceedlimit",
        "5.1.351": "userunknown",
        "5.2.14": "systemerror",
        "5.2.121": "toomanyconn",
        "5.2.122": "toomanyconn",
        "5.3.190": "systemerror",
        "5.4.1": "userunknown",
        "5.4.11": "contenterror",
        "5.4.14": "networkerror",
        "5.4.20": "systemerror",
        "5.4.300": "expired",
        "5.4.310": "hostunknown",
        "5.4.311": "networkerror",
        "4.4.312": "networkerror",
        "5.4.312": "networkerror",
        "4.4.313": "networkerror",
        "4.4.316": "expired",
        "5.4.316": "expired",
        "4.4.317": "failedstarttls",
        "5.4.317": "failedstarttls",
        "4.4.318": "networkerror",
        "5.6.11": "contenterror",
        "5.7.3": "securityerror",
        "5.7.5": "securityerror",
        "5.7.12": "rejected",
        "5.7.23": "authfailure",
        "5.7.25": "networkerror",
        "5.7.57": "securityerror",
        "5.7.60": "rejected",
        "5.7.64": "norelaying",
        "5.7.124": "securityerror",
        "5.7.133": "securityerror",
        "5.7.134": "securityerror",
        "5.7.136": "securityerror",
        "5.7.193": "securityerror",
        "5.7.321": "failedstarttls",
        "5.7.322": "failedstarttls",
        "5.7.323": "failedstarttls",
        "5.7.324": "securityerror",
        "5.7.325": "failedstarttls",
        "5.7.367": "securityerror",
        "5.7.501": "spamdetected",
        "5.7.502": "spamdetected",
        "5.7.503": "spamdetected",
        "5.7.504": "filtered",
        "5.7.505": "filtered",
        "5.7.506": "blocked",
        "5.7.507": "blocked",
        "5.7.508": "toomanyconn",
        "5.7.509": "authfailure",
        "5.7.510": "notaccept",
        "5.7.511": "blocked",
        "5.7.512": "notcompliantrfc",
        "5.7.513": "badreputation",
        "5.7.515": "authfailure",
        "5.7.520": "policyviolation",
        "4.7.650": "badreputation",
        "4.7.651": "badreputation",
        "4.7.652": "toomanyconn",
        "4.7.500": "speeding",
        "5.7.700": "speeding",
        "5.7.703": "suspend",
        "5.7.705": "exceedlimit",
        "5.7.708": "badreputation",
        "5.7.750": "securityerror",
        "4.7.850": "speeding",
        "5.7.1010": "norelaying",
        # The Exchange server's own words for a mailbox that is shut.
        "5.2.1": "suspend",
        "5.1.8": "badreputation",
    },
}
"""Codes that mean something else, or mean something only, at one vendor."""

BANNED_RANGES: Final = ((606, 649),)
"""Microsoft's 5.7.606 … 5.7.649: the sender's IP is on its list."""


def of_status(status: str, vendor: str = "") -> str:
    """The reason a status stands for by itself, "" when it tells too little."""
    if is_vendors_own(status):
        vendor = "microsoft"
    telling = VENDORS.get(vendor, {}).get(status, "")
    if telling:
        return telling
    subject = status[2:]
    if vendor == "microsoft" and subject.startswith("7."):
        detail = int(subject[2:] or 0)
        if any(first <= detail <= last for first, last in BANNED_RANGES):
            return "blocked"
    return PLAIN.get(subject, "")


def is_vendors_own(status: str) -> bool:
    """True for details of three digits and more: no standard has them, Microsoft does."""
    return len(status.rpartition(".")[2]) >= 3


def of_vague_status(status: str) -> str:
    """The same for statuses that only name a field."""
    return VAGUE.get(status[2:], "")
