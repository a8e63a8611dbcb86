"""Phrases that settle an overlap: each holds a word that another reason also knows (notation: phrases.py).

Tried before all other general words. What stands here names the cause itself, where the wider words of another reason
would only see its shadow: a name service that asks to come again is no missing domain, a quota of a day is no full box.
"""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.reason_names import Table

FIRST: Final[Table] = (
    # Nobody looked at the address yet.
    ("systemerror", ("verification in progress", "unable to chdir to", "temporarily rejected message",
         "一時的に利用でき", "一時的に使用でき")),
    ("systemfull", ("no space left on device", "{server storage|disk|file system|filesystem} full")),
    # A name service that may answer later says nothing about the domain.
    ("networkerror", (
        "host not found try again", "host lookup did not complete",
        "{name server|name service|dns|lookup} ~8 {try again|timed out|temporar*|servfail}", "no route found to",
        "errno ~3 {refused|timed out|unreachable|reset}",
    )),
    # How much somebody may send or get in a time, not how much fits into a box.
    ("exceedlimit", (
        "daily ~4 {limit|quota|allowance}", "{limit|quota} ~3 {per day|for today}",
        "{submission|sending|outgoing} quota",
        "送信{通数|数|件数|量}…{上限|超|制限}",
    )),
    ("hostunknown", ("mail domain ~6 unknown",)),
    ("badreputation", ("{due to|because of} ~3 reputation",)),
    ("speeding", (
        "throttl*", "{submission|message|sending} rate ~5 {exceed*|limit*}",
        "hourly ~3 {limit|quota}",
        "too many {messages|mails|emails} ~2 in ~2 {time|period|minutes|hour|hours|day}", "rate ~6 too {high|fast}",
        "too many requests",
        "短時間…{大量|多数|制限}",
    )),
    # The sending service did not even try.
    ("suppressed", (
        "previously bounced", "suppression list", "suppressed address", "{address|recipient} is suppressed",
    )),
    ("norelaying", (
        "{relay|relaying} ~5 {not permitted|not allowed|denied|prohibited|disabled}",
        "{not|n't} permitted to relay", "{not|n't} allowed to ~1 {relay|relayed}",
        "{cannot|can't} deliver mail for", "delivery is not allowed to this", "{local user|local users} only",
        "{中継|リレー}…{許可|拒否|禁止|でき}",
    )),
    ("notcompliantrfc", ("not {rfc*|rfc 5322|rfc 2822} compliant", "{duplicate|multiple} ~1 headers")),
    ("rejected", (
        "sender @ ~1 {blacklisted|black listed|black-listed}",
        "sender verify failed", "sender domain {must|does not|doesn't|is not|not}", "send as this sender",
        "rejected by {destination|recipient} domain",
        "{sender address|from address|envelope sender} ~3 {blacklist*|blocklist*|black list|block list}",
    )),
    ("blocked", (
        "smtp not accepting {messages|connections}", "due to listing",
        "{blocked|rejected} by {our|the|a} firewall", "country ~6 {BLOCKED}",
    )),
    ("spamdetected", (
        "fortiguard ~2 {antispam|anti-spam}", "{antispam|anti-spam} blocking",
        "{rejected|refused} by ~3 {antispam|anti-spam}",
    )),
    ("virusdetected", ("infected: *",)),
    ("toomanyconn", ("同時接続", "{宛先|送信先|受信者}…{件数|数|人数}…{多すぎ|多過ぎ|上限|超}")),
    ("contenterror", (
        "{reject|rejected} ~3 banned", "添付ファイル…{許可|拒否|禁止|受け取れ|受信でき}", "添付…形式…拒否",
    )),
    ("mailererror", ("program ~2 {died|exited|failed|failure}", "プログラム…{失敗|エラー|異常}")),
    ("authfailure", ("{without|no|missing} ~3 dkim", "dkim ~4 not accepted")),
    ("suspend", (
        "@ {has been|is|was} ~1 {disabled|suspended|deactivated|inactive|locked|closed}",
        "{account|mailbox} {is|has been|was} ~1 blocked", "account {is|has|was} expired",
    )),
    # A person who does not want our mail, not a domain that takes none at all.
    ("filtered", (
        "{recipient|user|addressee|person|subscriber} {does not|doesn't} {accept|want} ~2 {mail|email|messages}",
        "opted out", "{recipient|user|addressee} has {blocked|rejected|refused} {your|you|this|the}",
    )),
    ("expired", ("日間…配{送|信}でき",)),
)  # fmt: skip
