"""Words from which the people of the samples are put together. Everybody in them is invented."""

from __future__ import annotations


def _table(text: str) -> list[tuple[str, str, str]]:
    rows = [line.split() for line in text.strip().splitlines()]
    return [(kanji, kana, latin) for kanji, kana, latin in rows]


FAMILIES = _table("""
佐藤 サトウ sato
鈴木 スズキ suzuki
髙橋 タカハシ takahashi
高橋 タカハシ takahashi
田中 タナカ tanaka
伊藤 イトウ ito
渡邊 ワタナベ watanabe
渡辺 ワタナベ watanabe
山本 ヤマモト yamamoto
中村 ナカムラ nakamura
小林 コバヤシ kobayashi
加藤 カトウ kato
吉田 ヨシダ yoshida
𠮷田 ヨシダ yoshida
山田 ヤマダ yamada
佐々木 ササキ sasaki
山口 ヤマグチ yamaguchi
松本 マツモト matsumoto
井上 イノウエ inoue
木村 キムラ kimura
林 ハヤシ hayashi
斎藤 サイトウ saito
齋藤 サイトウ saito
清水 シミズ shimizu
山﨑 ヤマザキ yamazaki
森 モリ mori
池田 イケダ ikeda
橋本 ハシモト hashimoto
阿部 アベ abe
石川 イシカワ ishikawa
石井 イシイ ishii
前田 マエダ maeda
藤田 フジタ fujita
小川 オガワ ogawa
後藤 ゴトウ goto
岡田 オカダ okada
長谷川 ハセガワ hasegawa
村上 ムラカミ murakami
近藤 コンドウ kondo
坂本 サカモト sakamoto
遠藤 エンドウ endo
青木 アオキ aoki
藤井 フジイ fujii
西村 ニシムラ nishimura
福田 フクダ fukuda
太田 オオタ ota
三浦 ミウラ miura
岡本 オカモト okamoto
松田 マツダ matsuda
中島 ナカジマ nakajima
""")
GIVEN_NAMES = _table("""
太郎 タロウ taro
花子 ハナコ hanako
健 ケン ken
直子 ナオコ naoko
美咲 ミサキ misaki
大輔 ダイスケ daisuke
翔 ショウ sho
葵 アオイ aoi
陽菜 ヒナ hina
蓮 レン ren
結衣 ユイ yui
拓也 タクヤ takuya
恵 メグミ megumi
誠 マコト makoto
由美 ユミ yumi
浩 ヒロシ hiroshi
明 アキラ akira
さくら サクラ sakura
愛 アイ ai
隆 タカシ takashi
久美子 クミコ kumiko
智子 トモコ tomoko
剛 ツヨシ tsuyoshi
亮 リョウ ryo
真由美 マユミ mayumi
悠斗 ユウト yuto
ひかり ヒカリ hikari
和也 カズヤ kazuya
裕子 ユウコ yuko
学 マナブ manabu
千尋 チヒロ chihiro
航 ワタル wataru
麻衣 マイ mai
優 ユウ yu
哲也 テツヤ tetsuya
彩 アヤ aya
聡 サトシ satoshi
里奈 リナ rina
駿 シュン shun
綾香 アヤカ ayaka
""")
COMPANIES = _table("""
青葉 アオバ aoba
みどり ミドリ midori
北斗 ホクト hokuto
大和 ヤマト yamato
朝日丘 アサヒガオカ asahigaoka
富士見 フジミ fujimi
若葉 ワカバ wakaba
桜川 サクラガワ sakuragawa
東雲 シノノメ shinonome
白鳥 シラトリ shiratori
千歳 チトセ chitose
三ツ星 ミツボシ mitsuboshi
光 ヒカリ hikari
曙 アケボノ akebono
山彦 ヤマビコ yamabiko
""")
TRADES = _table("""
製作所 セイサクショ works
物流 ブツリュウ logi
食品 ショクヒン foods
電機 デンキ denki
商事 ショウジ shoji
建設 ケンセツ kensetsu
薬品 ヤクヒン yakuhin
印刷 インサツ insatsu
倉庫 ソウコ soko
""")
DEPARTMENTS = [
    ("100", "東京本社"),
    ("200", "横浜支店"),
    ("300", "名古屋支店"),
    ("400", "大阪支店"),
    ("500", "福岡支店"),
]
SECTIONS = ["総務部", "人事部", "製造部", "営業部", "管理課", "物流センター"]
TITLES = ["", "主任", "係長", "課長", "部長"]
MEDIA = ["自社サイト", "求人サイト", "紹介", "求人誌", "ハローワーク"]
TAGS = ["夜勤可", "フォークリフト", "軽作業", "事務", "英語", "週3日", "短期", "リーダー"]
DOMAINS = ["mail.example.jp", "docomo.example.jp", "ezweb.example.jp", "softbank.example.jp", "web.example.jp"]

PRACTICE_SHARES = {
    "answer": 60,
    "later": 20,
    "bounce": 12,
    "unknown": 10,
    "vacation": 10,
    "docomo": 6,
    "refuse": 4,
    "quota": 3,
    "full": 3,
    "drop": 3,
    "slow": 2,
}
"""Per 1,000 people: last word of an address → how the practice mail server's person behaves (its own table)."""
