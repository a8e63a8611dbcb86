"""The same in Japanese and other languages (notation: phrases.py). Tried after the English words of the same reason."""

from __future__ import annotations

from typing import Final

ABROAD: Final[dict[str, tuple[str, ...]]] = {
    "mailboxfull": (
        "メールボックス…{一杯|いっぱい|満杯|超え|超過|オーバー|あふれ|溢れ|不足|上限|フル}",
        "{受信箱|受信ボックス|受信トレイ|メールBOX}…{一杯|いっぱい|満杯|超え}",
        "{受信箱|受信ボックス|受信トレイ|メールBOX}…{超過|オーバー|あふれ|不足|上限}",
        "{メールbox|容量|ディスク|保存領域}…{一杯|いっぱい|満杯|超え|超過|オーバー|あふれ|不足|上限}",
        "{空き容量|空き領域}…{不足|なし|ありません}", "postfach ~3 voll", "speicherplatz",
        "{boite|boîte} ~4 pleine", "quota ~2 {dépassé|depasse|superata|superato|excedida|superada|überschritten}",
        "{casilla|buzón|buzon|cuenta} ~3 {llena|lleno}", "{casella|caixa} ~4 {piena|cheia}", "ящик* ~2 переполнен",
        "переполнен", "邮箱…{已满|空间不足|容量}", "메일함…{가득|초과}",
    ),
    "mesgtoobig": (
        "{サイズ|容量}…{大き|超過|超え}", "大きすぎ", "大き過ぎ", "nachricht ~2 zu {groß|gross}",
        "message ~1 trop {gros|volumineux|long}", "mensaje ~2 {demasiado|muy} grande",
        "messaggio ~1 troppo grande", "слишком большо*",
    ),
    "virusdetected": (
        "ウイルス…{検出|感染|発見|検知}", "ウィルス…{検出|感染|発見|検知}",
    ),
    "authfailure": (
        "なりすまし", "送信ドメイン認証",
    ),
    "requireptr": (
        "逆引き",
    ),
    "suspend": (
        "{アカウント|メールボックス|メールアドレス}…{停止|休止|解約|凍結|一時的に使用でき}",
        "{利用|契約|サービス}…{停止|休止|解約|凍結|一時的に使用でき}", "konto ~2 {gesperrt|deaktiviert}",
        "compte ~3 {suspendu|désactivé|desactive|bloqué|inactif|fermé}",
        "cuenta ~3 {suspendida|desactivada|inactiva|bloqueada}",
        "{аккаунт|ящик|account} ~2 {заблокирован|отключен}",
    ),
    "blocked": (
        "接続…拒否", "ブラックリスト", "接続制限",
    ),
    "spamdetected": (
        "迷惑メール", "スパム", "垃圾邮件", "спам*", "indésirable", "correo no deseado",
    ),
    "rejected": (
        "送信者…{拒否|不正}", "差出人…拒否", "送信元…拒否",
    ),
    "filtered": (
        "指定受信", "ドメイン指定", "受信設定", "受信制限", "受信拒否", "着信拒否", "フィルタ", "拒否されました",
        "拒否設定",
    ),
    "hasmoved": (
        "アドレス…変更", "移転",
    ),
    "hostunknown": (
        "ホスト…{見つか|みつか|存在し|不明}", "ドメイン…{見つか|みつか|存在し|不明|無効|正しく}",
        "サーバ…{見つか|みつか|存在し}", "{dominio|domaine|domínio|domäne} ~3 {no existe|inconnu|inesistente}",
        "{dominio|domaine|domínio|domäne} ~3 {n'existe|existiert nicht|não existe}", "rechner ~2 unbekannt",
        "домен ~3 {не найден|не существует}",
    ),
    "networkerror": (
        "ループ", "接続できま", "接続に失敗", "接続が…切", "ネットワーク", "応答がありません", "応答が無",
        "verbindung ~3 fehlgeschlagen",
    ),
    "expired": (
        "期限切れ", "{時間|期間|日間}…{経過|以内|超え|断念}", "タイムアウト", "再送…{期限|失敗|断念|終了}",
        "配送を…{断念|中止|あきらめ}", "zeitüberschreitung", "délai ~2 {dépassé|expiré}", "tiempo de espera",
        "{scaduto|expirado|caducado|истек*|abgelaufen}",
    ),
    "userunknown": (
        "{宛先|あて先|宛て先|送信先|送付先|送り先}…{見つか|みつか|存在しま|存在せ|不明|登録されて}",
        "{受信者|受取人|ユーザ}…{見つか|みつか|存在しま|存在せ|不明|登録されて}",
        "{ユーザー|メールアドレス|アドレス}…{見つか|みつか|存在しま|存在せ|不明|登録されて}",
        "{宛先|あて先|宛て先|送信先|送付先|送り先}…{間違|誤り|ありません|正しくあり|無効|不正|見当たり}",
        "{受信者|受取人|ユーザ}…{間違|誤り|ありません|正しくあり|無効|不正|見当たり}",
        "{ユーザー|メールアドレス|アドレス}…{間違|誤り|ありません|正しくあり|無効|不正|見当たり}",
        "該当するユーザ", "該当者", "宛先不明", "あて先不明",
        "{empfänger|empfaenger|adresse} ~5 {unbekannt|nicht gefunden|existiert nicht}",
        "{benutzer|teilnehmer|postfach} ~5 {unbekannt|nicht gefunden|existiert nicht}",
        "{empfänger|empfaenger|adresse} ~5 {nicht bekannt|ungültig|nicht vorhanden|nicht erreichbar}",
        "{benutzer|teilnehmer|postfach} ~5 {nicht bekannt|ungültig|nicht vorhanden|nicht erreichbar}",
        "{adresse|destinataire|utilisateur|boite|boîte|compte} ~7 {inconnu|inconnue|introuvable}",
        "{adresse|destinataire|utilisateur} ~7 {n'existe pas|inexistant|inexistante|invalide}",
        "{boite|boîte|compte} ~7 {n'existe pas|inexistant|inexistante|invalide}",
        "{usuario|dirección|direccion|destinatario} ~6 {desconocido|desconocida}",
        "{usuario|dirección|direccion|destinatario} ~6 {no existe|inexistente|no encontrado}",
        "{buzón|buzon|cuenta|casilla} ~6 {desconocido|desconocida|no existe|inexistente|no encontrado}",
        "{usuario|dirección|direccion|destinatario} ~6 {no se encontró|no se ha encontrado}",
        "{usuario|dirección|direccion|destinatario} ~6 {no válida|no válido|inválida}",
        "{buzón|buzon|cuenta|casilla} ~6 {no se encontró|no se ha encontrado|no válida|no válido|inválida}",
        "{indirizzo|destinatario|utente|casella} ~6 {sconosciuto|sconosciuta|inesistente}",
        "{indirizzo|destinatario|utente|casella} ~6 {non esiste|non trovato|non valido}",
        "non ~4 trovare l'indirizzo",
        "{usuário|usuario|endereço} ~6 {desconhecido|desconhecida|não existe|nao existe}",
        "{endereco|destinatário|destinatario|caixa} ~6 {desconhecido|desconhecida|não existe|nao existe}",
        "{usuário|usuario|endereço} ~6 {não encontrado|nao encontrado|inexistente|inválido}",
        "{endereco|destinatário|destinatario|caixa} ~6 {não encontrado|nao encontrado|inexistente|inválido}",
        "{пользователь|пользователя|адрес|получатель|ящик} ~6 {не найден|не существует}",
        "{пользователь|пользователя|адрес|получатель|ящик} ~6 {не зарегистрирован|неизвестен|отсутствует}",
        "{无此用户|用户不存在|邮箱不存在|地址不存在|收件人不存在|帐号不存在|账号不存在}", "收件人…不存在",
        "사용자…{없|존재하지}", "존재하지 않는 {사용자|메일|주소|계정}",
        "{gebruiker|adres|mottagaren|adressen} ~4 {onbekend|bestaat niet|okänd|finns inte}",
        "{modtageren|użytkownik|adresat|příjemce|kullanıcı} ~4 {onbekend|bestaat niet|okänd|finns inte}",
        "{gebruiker|adres|mottagaren|adressen} ~4 {findes ikke|nie istnieje|neexistuje|bulunamadı|ukendt}",
        "{modtageren|użytkownik|adresat|příjemce|kullanıcı} ~4 {findes ikke|nie istnieje}",
        "{modtageren|użytkownik|adresat|příjemce|kullanıcı} ~4 {neexistuje|bulunamadı|ukendt}",
    ),
    "policyviolation": (
        "ポリシー", "規約",
    ),
    "systemerror": (
        "システムエラー", "サーバ…{エラー|障害}", "一時的…エラー", "内部エラー",
    ),
}  # fmt: skip
