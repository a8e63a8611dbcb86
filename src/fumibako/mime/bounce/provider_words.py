"""What single mail systems write in their own way: error numbers in brackets, tags and links that stand for one reason.

Facts from the pages these systems publish for senders. Tried before the general words, on the text as it came.
"""

from __future__ import annotations

from typing import Final

PROVIDER_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    # (whose, pattern, reason); the first that is found counts.
    # United Internet keeps the standard sentence when its policy refused.
    ("unitedinternet", r"mailbox unavailable.{0,40}reject due to policy", "policyviolation"),
    # RFC 5321 §4.2.2 gives this sentence to a mailbox that is not there.
    ("rfc", r"550[ -]+requested action not taken: mailbox unavailable", "userunknown"),
    # Postfix says so itself of a box on its own machine.
    ("postfix", r'^(?:x-postfix; )?unknown user: "', "userunknown"),
    # Google: the page a refusal points to is more telling than its text.
    ("google", r"\?p=(?:nosuchuser|badrcptdomain)\b", "userunknown"),
    ("google", r"\?p=(?:overquota\w*)\b|overquotaperm|overquotatemp", "mailboxfull"),
    ("google", r"\?p=receivingrate\w*", "speeding"),
    ("google", r"\?p=disableduser|\?p=inactiveuser", "suspend"),
    ("google", r"\?p=(?:rfcmessagenoncompliant|badsyntax)", "notcompliantrfc"),
    ("google", r"\?p=maxsizeerror|\?p=messagetoolarge", "mesgtoobig"),
    ("google", r"\?p=(?:unsolicitedmessageerror)", "spamdetected"),
    ("google", r"very low reputation of the sending (?:domain|ip)", "badreputation"),
    ("google", r"\?p=(?:unsolicitedratelimiterror|unsolicitedipterror|iptempreject)", "speeding"),
    ("google", r"unusual rate of (?:unsolicited|unauthenticated) (?:mail|email)", "speeding"),
    ("google", r"\?p=(?:unauthorizederror|unauthenticatedemail)", "authfailure"),
    (
        "google",
        r"\?p=blockedmessage|content presents a potential(?:\s+\d{3}-[\d.]+)?(?:\s+security issue)?|mail/answer/6590\b",
        "policyviolation",
    ),
    ("google", r"\?p=notauthorizederror", "blocked"),
    ("google", r"returned null mx|doesn't receive email according to", "notaccept"),
    (
        "google",
        r"\bdns error: \S+ dns type|\bdns error: dns type .{0,80}code (?:nxdomain|servfail|timeout)",
        "networkerror",
    ),
    ("google", r"has a policy that prohibited the mail", "policyviolation"),
    ("google", r"\?p=(?:dnsfailure|networkfailure)", "networkerror"),
    ("google", r"mail/answer/6592\b|\?p=smtpattachmenterror", "contenterror"),
    # A Google group that is not there or not open says both in one sentence.
    (
        "google",
        r"groups?\.google\.com/support|support\.google\.com/a/answer/168383.{0,200}permission to post",
        "rejected",
    ),
    # Yahoo! and AOL: https://senders.yahooinc.com/smtp-error-codes
    # Notices that still point to Verizon Media's page count as a refusal of the sender.
    ("yahoo", r"\[(?:ts|tss)\d{2}\].{0,200}postmaster\.verizonmedia\.com", "rejected"),
    ("yahoo", r"\[(?:ts|tss)\d{2}\]", "badreputation"),
    ("yahoo", r"\[ph01\]|message not (?:allowed|accepted) (?:for|-)? ?policy reasons", "policyviolation"),
    ("yahoo", r"\[(?:bl\d{2}|ipts\d{2}|rl\d{2}|gl\d{2})\]", "blocked"),
    ("yahoo", r"\bdd (?:this user doesn't have|requested mail action aborted, mailbox not found)", "userunknown"),
    ("yahoo", r"\(?#?mbnd\)?|mailbox is disabled \(", "suspend"),
    # Microsoft: words its servers put behind the code.
    ("microsoft", r"resolver\.adr\.(?:recipnotfound|exrecipnotfound|recipientnotfound)", "userunknown"),
    ("microsoft", r"resolver\.rst\.(?:recipsizelimit|sendersizelimit)", "exceedlimit"),
    (
        "microsoft",
        r"resolver\.rst\.(?:authrequired|restrictedtorecipients)",
        "securityerror",
    ),
    ("microsoft", r"resolver\.rst\.notauthorized\w*", "rejected"),
    ("microsoft", r"resolver\.(?:rst|adr)\.reciplimit", "toomanyconn"),
    ("microsoft", r"resolver\.rst\.recipthreadlimit|recipthreadlimitexceeded|throttling policy", "speeding"),
    ("microsoft", r"resolver\.adr\.(?:badprimary|invalidsmtp|invalidinsmtp|ambiguous)", "systemerror"),
    ("microsoft", r"resolver\.fwd\.|resolver\.loop|hop ?count ?exceeded|smtpsend\.dns\.mxloopback", "networkerror"),
    ("microsoft", r"smtpsend\.dns\.nonexistentdomain|dns query failed\(nonexistentdomain", "hostunknown"),
    ("microsoft", r"queue\.expired", "expired"),
    ("microsoft", r"routing\.sizelimit", "mesgtoobig"),
    ("microsoft", r"routing\.(?:noroute|noconnector\w*)", "systemerror"),
    ("microsoft", r"submissionquotaexceeded", "exceedlimit"),
    (
        "microsoft",
        r"storedrv\.(?:deliver|submit)\S*quota|storedrv\S*mailbox ?full|mapiexceptionshutoffquotaexceeded",
        "mailboxfull",
    ),
    ("microsoft", r"storedrv\S*(?:disabled|mailboxserveroffline|missingmdb)", "suspend"),
    ("microsoft", r"storedrv\S*(?:inboundmessagetoolarge|toolarge)", "mesgtoobig"),
    ("microsoft", r"agentgenerated\w*|transport\.rules\.reject\w*", "policyviolation"),
    ("microsoft", r"unfortunately, messages from \[?[0-9a-f.:]+\]? weren't sent|\(s3140\)|\(s3150\)", "blocked"),
    ("microsoft", r"banned sending ip|(?:dnsbl|block list|blocklist):\S*blacklist", "blocked"),
    ("microsoft", r"\(?(?:mc|sc)-00[0-9] ", "badreputation"),
    ("microsoft", r"\((?:rp|dy)-00[0-9]\)", "badreputation"),
    # AOL's older tags in round brackets.
    ("aol", r"\(dns:nr\)", "requireptr"),
    ("aol", r"\((?:rtr|rly|con|dyn):\w\w\)", "blocked"),
    ("aol", r"\(hvu:b\d\)", "spamdetected"),
    ("aol", r"aol will not accept delivery of this message", "policyviolation"),
    # NetEase (163.com, 126.com): three letters after the class of the refusal.
    ("netease", r"\bdt:(?:spm|sum)\b", "spamdetected"),
    ("netease", r"\b(?:rp|mi):[a-z]{3}\b", "toomanyconn"),
    # Facebook: https://postmaster.facebook.com/response_codes
    ("facebook", r"\brcp-p1\b", "userunknown"),
    ("facebook", r"\brcp-(?:p2|p3|t4|t2)\b", "filtered"),
    ("facebook", r"\bpol-p(?:1|2|3|4)\b|\bdns-t\d\b|\bpol-t\d\b", "blocked"),
    ("facebook", r"\bpol-p(?:5|6|7)\b", "policyviolation"),
    ("facebook", r"\bdns-p(?:1|2)\b", "rejected"),
    ("facebook", r"\bdns-p3\b", "requireptr"),
    ("facebook", r"\bint-p(?:1|3|4|7)\b|\bint-t\d\b", "systemerror"),
    ("facebook", r"\bint-p(?:2|5|6)\b", "spamdetected"),
    ("facebook", r"\bcon-t\d\b", "toomanyconn"),
    # Exchange looked into its own directory.
    ("microsoft", r"the recipient name is not recognized|does not exist at the organization", "userunknown"),
    # Apple iCloud Mail.
    ("apple", r"\[(?:cs|hm|pr)\d\d\]", "policyviolation"),
    ("apple", r"unknown or illegal alias|: inactive email address", "userunknown"),
    # Pages that explain one thing only.
    ("links", r"spf\.pobox\.com/|openspf\.(?:org|net|com)/why", "authfailure"),
    ("links", r"/smtplf\.html", "notcompliantrfc"),
    # Lists of bad senders, whoever asks them.
    (
        "lists",
        r"spamhaus\.(?:org|com)|spamcop\.net|barracudacentral|uceprotect|sorbs\.net|senderscore|"
        r"cloudmark\.com/\S*reset",
        "blocked",
    ),
    ("lists", r"ipcheck\.proofpoint|proofpoint dynamic reputation", "blocked"),
    # Mimecast: its own page of SMTP errors.
    ("mimecast", r"anti-?spoofing policy|header based anti-spoofing", "policyviolation"),
    ("mimecast", r"local ct ip \(unknown\)", "blocked"),
    ("mimecast", r"invalid recipient address", "userunknown"),
    # docomo, au, SoftBank: what their gateways say.
    ("docomo", r"552 too many recipients", "toomanyconn"),
    ("docomo", r"552 too much mail data", "mailboxfull"),
    ("docomo", r"500 line too long", "contenterror"),
    # au names no server and no code when its own filter refused.
    ("au", r"each of the following recipients was rejected by a remote mail server", "filtered"),
    # The panel of a hosting provider that lists every cause it can think of.
    ("cpanel", r"account or domain may not exist, they may be blacklisted", "hostunknown"),
    ("messagelabs", r"turn on smtp authentication", "securityerror"),
    # Orange, Wanadoo, laposte.net: tags such as OFR004_104 (https://postmaster.orange.fr).
    *(
        ("orange", rf"\b(?:ofr|lpn|ouk)[a-z0-9]{{0,3}}[_-]?(?:{numbers})\b", reason)
        for numbers, reason in (
            ("100|101|102|103|105|201|202|203|503|510|99\\d", "blocked"),
            ("104|109", "toomanyconn"),
            ("107", "requireptr"),
            ("305|402", "securityerror"),
            ("39\\d|401|515|517|519", "authfailure"),
            ("403|405|415|421|425", "rejected"),
            ("416|418", "userunknown"),
            ("417", "mailboxfull"),
            ("420|426", "suspend"),
            ("505", "systemerror"),
            ("506", "spamdetected"),
            ("514", "mesgtoobig"),
            ("630", "policyviolation"),
        )
    ),
    # MX Logic and McAfee: the filter that refused, in brackets.
    ("mcafee", r"\bdenied \[[\w.-]{1,80}\].{0,80}\(mode: ", "spamdetected"),
    # Cox: https://postmaster.cox.net, numbers behind AUP#.
    ("cox", r"\baup#cxsndr|\bcxsndr\b", "rejected"),
    ("cox", r"\bcxdns\b", "requireptr"),
    ("cox", r"\bcx(?:bl|thrt|mj|cnct)\b|\bcdrbl\b|\bipbl[01]{4}\b", "blocked"),
    ("cox", r"\bcxmxrt\b|\bcxsmtp\b", "toomanyconn"),
    # Tencent QQ.
    ("tencent", r"(?:ip|sender|domain|connection) frequency limited", "toomanyconn"),
    ("tencent", r"mail content denied|spam is embedded in the email", "spamdetected"),
    ("tencent", r"mailbox unavailable or access denied", "suspend"),
    ("tencent", r"suspected (?:bounce attacks|spam ip)|: connection denied", "blocked"),
    # GoDaddy: IBnnn numbers.
    ("godaddy", r"\bib(?:103|104|105|106|10[789]|11[0-9]|50[0-9]|60[0-46])\b", "blocked"),
    ("godaddy", r"\bib607\b|x\.co/rlbounce", "speeding"),
    # United Internet (GMX, WEB.DE, 1&1).
    ("unitedinternet", r"bad dns ptr resource record", "requireptr"),
    ("unitedinternet", r"mailbox quota is exhausted|quota is exceeded", "mailboxfull"),
    # i.ua numbers its errors in a link.
    ("iua", r"mail\.i\.ua/err/1\b", "norelaying"),
    ("iua", r"mail\.i\.ua/err/2\b|mail\.i\.ua/err/9\b", "userunknown"),
    ("iua", r"mail\.i\.ua/err/[34]\b", "suspend"),
    ("iua", r"mail\.i\.ua/err/6\b|mail\.i\.ua/err/7\b", "userunknown"),
    # Amazon SES keeps lists of its own.
    ("ses", r"suppression list", "suppressed"),
    # The sender is not known to Amazon: it will not carry the mail on.
    ("ses", r"address is not verified|identities failed the check", "norelaying"),
    ("sendgrid", r"unauthenticated senders not allowed", "securityerror"),
    # AOL's relay, when the domain publishes a null MX (RFC 7505) that it cannot read.
    ("aol", r"x-outbound-mail-relay; ?name service error for name=\S+ type=mx: malformed", "notaccept"),
)

VENDOR_HOSTS: Final[tuple[tuple[str, str], ...]] = (
    ("google", r"(?:^|\.)(?:google|googlemail|gmail)\.com\.?$"),
    ("microsoft", r"(?:^|\.)(?:outlook|hotmail|office365|microsoft|exchangelabs|onmicrosoft|live|msn)\.com\.?$"),
    ("yahoo", r"(?:^|\.)(?:yahoodns\.net|yahoo\.com|yahoo\.co\.jp|aol\.com)\.?$"),
    ("apple", r"(?:^|\.)(?:icloud|me|mac|apple)\.com\.?$|\.akadns\.net\.?$"),
    ("docomo", r"(?:^|\.)docomo\.ne\.jp\.?$"),
    ("au", r"(?:^|\.)(?:ezweb\.ne\.jp|au\.com|auone-net\.jp|dion\.ne\.jp|kddi\.ne\.jp)\.?$"),
    ("softbank", r"(?:^|\.)(?:softbank\.ne\.jp|i\.softbank\.jp|vodafone\.ne\.jp|ymobile\.ne\.jp)\.?$"),
)
"""Whose server a host is. Only public mail systems."""

VENDOR_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("google", r" - gsmtp\b|support\.google\.com|google groups"),
    ("microsoft", r"\.prod\.(?:protection\.)?outlook\.com|\.prod\.exchangelabs\.com|protection\.outlook\.com|"
        r"mail\.live\.com|\(as\d{4,10}\)|go\.microsoft\.com|microsoft exchange|generating server:|"
        r"resolver\.|aka\.ms/"),
    ("yahoo", r"yahoodns\.net|senders\.yahooinc\.com|postmaster\.(?:yahooinc|verizonmedia|yahoo)\.com"),
)  # fmt: skip
"""Whose server it was, where only its words tell."""
