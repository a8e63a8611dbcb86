"""What notices say in their first lines: that a mail was not delivered, or not yet (notation: phrases.py)."""

from __future__ import annotations

from fumibako.mime.bounce.phrases import lazily

FAILING = lazily(
    (
        "{could not|couldn't|cannot|can't|can not|was not} ~4 {delivered|deliver|sent|reached}",
        "{wasn't|not be|unable to be} ~4 {delivered|deliver|sent|reached}",
        "{has not been|have not been|not able to|could not be} ~4 {delivered|deliver|sent|reached}",
        "{not|n't} ~2 {be delivered|delivered to|deliverable}", "undeliverable", "undelivered", "not deliverable",
        "{delivery|transmission} ~5 {failed|failure|has failed|aborted}",
        "{delivery|transmission} ~5 {impossible|unsuccessful|was aborted|not possible}",
        "{failed|unable|wasn't able|was not able|not able} ~2 {deliver|delivering|delivery|send your}",
        "did not reach", "{message|mail|email|e-mail} ~6 {returned|bounced|rejected|refused}",
        "{message|mail|email|e-mail} ~6 {failed permanently|not accepted}",
        "{message|mail|email|e-mail} ~6 {blocked by|undeliverable|was blocked}", "permanent fatal errors",
        "{addresses|address|recipients} ~4 {failed|had delivery problems}",
        "{recipient|address(es)|recipient(s)} ~4 {failed|had delivery problems}",
        "{addresses|address|recipients} ~4 {had delivery errors|had errors|were affected}",
        "{recipient|address(es)|recipient(s)} ~4 {had delivery errors|had errors|were affected}",
        "{addresses|address|recipients} ~4 {rejected|fatal errors|permanent errors}",
        "{recipient|address(es)|recipient(s)} ~4 {rejected|fatal errors|permanent errors}",
        "{addresses|address|recipients} ~4 {not be reached|not reached|did not receive}",
        "{recipient|address(es)|recipient(s)} ~4 {not be reached|not reached|did not receive}",
        "returned to sender", "permanent {error|errors|failure}", "error delivering", "trouble delivering",
        "problem delivering", "error while ~4 {deliver|delivering|sending}",
        "error occurred ~6 {deliver|delivering|mail|delivery}", "transcript of session", "said: {5*|4*}",
        "fatal errors", "unknown user*", "user unknown", "no such user", "non-delivery report", "not delivered to",
        "failure notice", "your message was rejected", "wasn't delivered", "couldn't be delivered",
        "no valid recipients", "invalid user address", "mailbox is full", "over ~2 quota", "giving up", "bounced",
        "can't be delivered", "incorrectly constructed", "rcpt to generated following", "invalid final delivery",
        "does not exist", "delevery ~6 aborted", "we were unable to", "blocked by our spam",
        "delivery to ~6 failed", "n'a pas pu ~2 {delivre|délivré|être|etre|délivrer}",
        "échec ~4 {remise|distribution|livraison}", "non ~1 {remis|distribué|délivré}",
        "{nicht|konnte nicht} ~4 {zugestellt|zustellen|übermittelt}", "unzustellbar", "no pudo ser entregado",
        "no ~3 {entregar|entregado|entregarse}", "não pôde ser entregue", "nao pode ser enviada",
        "não foi possível entregar", "non ~3 {recapitato|consegnato|recapitabile}", "recapito non è riuscito",
        "niet ~3 bezorgd", "не ~3 {доставлено|доставлен|доставить}", "не может быть доставлено", "无法发送到",
        "无法送达", "无法投递", "退信", "배달 실패", "전송 실패", "kunde inte levereras", "nie można dostarczyć",
        "{送信|配信|配送|配達|お届け|転送|到達|届ける|送る}…{でき|出来|失敗|不能|不可|エラー}",
        "{届き|届け|届か}…ません", "送れません", "送れなかった",
        "{宛先|あて先|送信先|メールアドレス}…{不明|存在し|見つか|みつか|間違|誤り|ありません}", "受信できません",
        "エラーメール", "不達", "メールボックス…{一杯|いっぱい|超}",
    )
)  # fmt: skip
DELAYING = lazily(
    (
        "{has|have} not yet been delivered", "not yet been delivered",
        "{has|have} been {delayed|postponed|deferred}", "{message|mail|delivery|email} ~2 {is delayed|delayed}",
        "{message|mail|delivery|email} ~2 {was delayed|is being delayed|has been delayed}",
        "this is a warning message only", "warning message only", "you do not need to resend",
        "no action is required on your part",
        "will ~3 {keep trying|continue trying|continue to try|be retried|retry|try again|keep retrying}",
        "delivery attempts will continue",
        "still {undelivered|awaiting delivery|trying|being attempted|in the queue}",
        "still ~2 {trying|queued|undelivered}", "temporary failure report", "is advisory-only",
        "{temporarily|temporary} ~2 {delayed|deferred|problem delivering}", "you do not have to resend",
        "delivery incomplete", "{enqueued|queued} and undeliverable", "delay* ~4 recipient*", "wird ~4 versucht",
        "verzögert", "retardé", "tentatives ~3 continu*", "se ha retrasado", "in ritardo",
        "{配送|配信|送信|お届け}…{遅れ|遅延|保留}", "再送を{続け|試み|行い}", "引き続き…再", "再度…送信を試み",
        "まだ…{配送|配信|届|送信}",
    )
)  # fmt: skip
GIVEN_UP = lazily(
    (
        "断念", "あきらめ", "中止しました",
        "送信できませんでした", "配信できませんでした", "配送できませんでした",
        "giving up", "given up", "gave up", "i've given up", "permanent error", "permanent fatal",
        "failed permanently", "will be deleted from queue", "not going to try again",
        "will not ~3 {retry|try|redeliver}", "stopped trying", "could not be delivered", "permanently",
    )
)  # fmt: skip
