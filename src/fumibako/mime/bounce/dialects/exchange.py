"""Microsoft Exchange, from 5.5 to Microsoft 365: prose for people, then "diagnostic information for administrators"."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="exchange",
    marks=words(
        # 5.5 and 2000.
        r"^\s*did not reach the following recipient\(s\):",
        r"MSEXCH:|\bThe MTS-ID of the original message\b",
        # 2003.
        r"^\s*Your message did not reach some or all of the intended recipients",
        r"^\s*The following recipient\(s\) (?:could not|cannot) be reached:",
        # 2007 and later, in the languages it speaks.
        r"^Diagnostic information for administrators:",
        r"^Delivery has failed to these recipients or (?:groups|distribution lists)",
        r"^Informations? de diagnostic pour les administrateurs|^Échec de la remise",
        r"^Informazioni di diagnostica per gli amministratori|^Il recapito non è riuscito",
        r"^Diagnoseinformationen für Administratoren|^Fehler bei der Nachrichtenzustellung",
        r"^Información de diagnóstico para administradores|^Error de entrega a estos destinatarios",
        r"^Informações de diagnóstico para administradores",
        r"^管理者向けの診断情報|次の受信者またはグループへの配信に失敗|次の受信者または配布リストへの配信に失敗",
        r"^Generating server:|^Reporting server:|^生成サーバー",
    ),
    headers=(header("Thread-Topic", r"^Undeliverable:"),),
)
