"""The look of the page: light and dark, wide and narrow, on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#f6f6f4;--card:#fff;--ink:#1b1c1e;--dim:#6a6e75;--line:#e2e2de;--soft:#f0f0ec;
--accent:#3858d6;--good:#1a7f4b;--bad:#c4281c;--warn:#9a6700;--text:#d6006f;
--shade:0 1px 2px #0001,0 4px 16px #0000000a}
@media (prefers-color-scheme:dark){:root{--bg:#121315;--card:#1b1d20;--ink:#e8e8e6;--dim:#9a9ea6;--line:#2e3136;
--soft:#25282c;--accent:#8ea4ff;--good:#4cc38a;--bad:#ff7b6e;--warn:#e2b340;--text:#ff5cab;--shade:none}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;background:var(--bg);color:var(--ink);margin:0}
main{max-width:1240px;margin:0 auto;padding:1.5rem 1.25rem 5rem}
h1{font-size:1.35rem;margin:0 0 .2rem;letter-spacing:-.01em}
h2{font-size:1.1rem;margin:0;overflow-wrap:anywhere;line-height:1.3}
h3{font-size:.95rem;margin:0}
h4{font-size:.75rem;margin:1.1rem 0 .35rem;color:var(--dim);text-transform:uppercase;letter-spacing:.06em}
p{margin:.3rem 0}.dim{color:var(--dim)}.num{font-variant-numeric:tabular-nums;white-space:nowrap}
.note{font-size:.82rem;color:var(--dim);margin:.6rem 0 0}.side *+.card{margin-top:.9rem}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
bdi{overflow-wrap:anywhere}q{quotes:"“" "”"}
nav{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0 0}
nav a{display:flex;align-items:center;gap:.5rem;max-width:15rem;padding:.3rem .7rem .3rem .3rem;border-radius:8px;
background:var(--card);border:1px solid var(--line);color:inherit;text-decoration:none;font-size:.82rem}
nav a:hover{border-color:var(--accent)}nav img,nav i{width:34px;height:34px;object-fit:cover;border-radius:5px;
flex:none}
nav i{display:grid;place-items:center;background:var(--soft);font-style:normal;color:var(--dim)}
nav span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
article{margin:2.2rem 0 0;scroll-margin-top:1rem}article>header{margin:0 0 .9rem}
.cols{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,7fr);gap:1.25rem;align-items:start}
.film{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}.one{max-width:860px}.side{position:sticky;top:1rem}
.main{display:grid;gap:.9rem;min-width:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:.9rem 1.1rem;min-width:0;
box-shadow:var(--shade)}
.card>header{display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap;margin-bottom:.5rem}
.card>header small{color:var(--dim);margin-left:auto;font-variant-numeric:tabular-nums}
figure{position:relative;margin:0;border-radius:12px;background:
repeating-conic-gradient(#8882 0 25%,#8881 0 50%) 0 0/20px 20px}
figure>img{display:block;width:100%;height:auto;border-radius:12px;box-shadow:0 0 0 1px var(--line)}
.switch{position:absolute;opacity:0;pointer-events:none}
.keys{display:flex;flex-wrap:wrap;gap:.4rem;margin:0 0 .6rem}
.keys label{cursor:pointer;font-size:.8rem;padding:.15rem .7rem;border-radius:99px;border:1px solid var(--line);
background:var(--card);color:var(--dim);user-select:none}.keys label::before{content:"○ "}
.t:checked~.keys .kt{color:var(--text);border-color:var(--text)}.f:checked~.keys .kf{color:var(--bad);
border-color:var(--bad)}
.t:checked~.keys .kt::before,.f:checked~.keys .kf::before{content:"● "}
.t:focus-visible~.keys .kt,.f:focus-visible~.keys .kf{outline:2px solid var(--accent);outline-offset:2px}
.box{position:absolute;border:1.5px solid var(--text);border-radius:2px;outline:0}
.box.fail{border:2px dashed var(--bad);background:#ff000018}
.t:not(:checked)~figure .text,.f:not(:checked)~figure .fail{display:none}
.box:hover,.box:focus{background:#d6006f2b;z-index:5}.box.fail:hover,.box.fail:focus{background:#ff000038}
.box>b{display:none;position:absolute;left:-1px;top:100%;margin-top:4px;width:max-content;max-width:min(20rem,60vw);
padding:.3rem .6rem;border-radius:6px;background:#111e;color:#fff;font-size:.8rem;font-weight:400;line-height:1.35}
.box.r>b{left:auto;right:-1px}.box.d>b{top:auto;bottom:100%;margin:0 0 4px}
.box>b small{display:block;color:#bbb}.box:hover>b,.box:focus>b{display:block}
.row{display:grid;grid-template-columns:8.5rem minmax(0,1fr);gap:.1rem .9rem;padding:.3rem 0;
border-top:1px solid var(--line)}
.row:first-child{border-top:0}.row>span:first-child{color:var(--dim)}
.label{display:grid;grid-template-columns:minmax(0,1fr) 7rem 2.6rem;gap:0 .6rem;align-items:center}
.label+.label{margin-top:.25rem}.ev{grid-column:1/-1;font-size:.82rem;color:var(--dim)}
.bar{display:block;height:6px;border-radius:3px;background:var(--soft);overflow:hidden;min-width:3rem}
.bar i{display:block;height:100%;background:var(--accent);border-radius:3px}
.bar.good i{background:var(--good)}.bar.bad i{background:var(--bad)}.bar.warn i{background:var(--warn)}
.chips{display:flex;flex-wrap:wrap;gap:.3rem}
.chip{font-size:.8rem;padding:.05rem .55rem;border-radius:99px;background:var(--soft);color:var(--dim);max-width:100%;
overflow-wrap:anywhere}
.badge{font-size:.78rem;padding:.08rem .55rem;border-radius:99px;border:1px solid currentColor}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.5rem 1rem;margin:.3rem 0}
.facts div{min-width:0}.facts dt{color:var(--dim);font-size:.78rem}.facts dd{margin:0;
font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}dl{margin:0}
details>summary{cursor:pointer}details.raw{margin-top:.8rem;font-size:.8rem;color:var(--dim)}
pre{overflow:auto;max-height:22rem;font-size:.75rem;line-height:1.4;background:var(--soft);color:var(--ink);
padding:.7rem;
border-radius:8px;margin:.5rem 0 0}
.pack{border-top:1px solid var(--line)}.pack:first-of-type{border-top:0}
.pack>summary{display:grid;grid-template-columns:1rem minmax(0,1fr) 6rem 6.5rem;gap:0 .7rem;align-items:center;
padding:.45rem 0;
list-style:none}.pack>summary::-webkit-details-marker{display:none}
.pack>summary::before{content:"▸";color:var(--dim)}.pack[open]>summary::before{content:"▾"}
.pack>summary small{display:block;color:var(--dim);line-height:1.35}.pack>summary .num{text-align:right;
font-size:.88rem}
ul{list-style:none;margin:0;padding:0}
.sure{display:flex;gap:.5rem;align-items:center}.pack[open] .lost{display:none}
.rules{margin:0 0 .6rem 1.6rem}.rules li{display:grid;grid-template-columns:1.1rem minmax(0,1fr) auto;gap:0 .5rem;
padding:.3rem 0;border-top:1px dashed var(--line)}
.rules small{display:block;color:var(--dim);line-height:1.4}.rules .num{text-align:right;font-size:.85rem}
.rules .mark{font-weight:700;text-align:center}
.lines{columns:2 13rem;column-gap:1.4rem}.lines li{break-inside:avoid;padding:.12rem 0;display:flex;gap:.5rem}
.lines li>bdi{flex:1}.lines .num{font-size:.78rem;color:var(--dim)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th{font-weight:400;color:var(--dim);font-size:.78rem;text-align:left}
th,td{padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
.swatches{margin-top:.7rem;display:flex;height:22px;border-radius:6px;overflow:hidden;border:1px solid var(--line)}
.track{display:grid;grid-template-columns:4.6rem minmax(0,1fr);gap:.6rem;align-items:center;margin:.3rem 0;
font-size:.78rem;
color:var(--dim)}.track>span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.track>div{position:relative;height:18px;background:var(--soft);border-radius:4px}
.track i{position:absolute;top:0;bottom:0;min-width:3px;border-radius:3px;background:var(--accent);opacity:.85}
.track .odd{opacity:.5}.track .text{background:var(--text)}.track .silence{background:var(--dim);opacity:.45}
.track .face{background:var(--good)}.track .speech{background:var(--warn)}
.track.axis>div{background:none;height:1.2em}.axis>div>span{position:absolute;transform:translateX(-50%);
white-space:nowrap}
.axis>div>span:first-child{transform:none}.axis>div>span:last-child{transform:translateX(-100%)}
.spark{display:flex;align-items:flex-end;gap:2px;height:38px;max-width:22rem;border-bottom:1px solid var(--line)}
.spark i{flex:1;min-width:2px;background:var(--accent);border-radius:2px 2px 0 0}
.meter{position:relative;height:8px;border-radius:4px;background:var(--soft);margin:.5rem 0 1.4rem;max-width:26rem}
.meter b{position:absolute;top:-3px;width:3px;height:14px;border-radius:2px;background:var(--accent)}
.meter i{position:absolute;top:0;bottom:0;background:var(--good);opacity:.35}
.meter span{position:absolute;top:10px;font-size:.72rem;color:var(--dim);transform:translateX(-50%);
white-space:nowrap}
.error{color:var(--bad)}.copy{white-space:pre-wrap}
@media (max-width:820px){main{padding:1rem .8rem 3rem}.cols,.film{grid-template-columns:minmax(0,1fr)}
.side{position:static}
.row{grid-template-columns:minmax(0,1fr)}.card{padding:.8rem .85rem}.rules{margin-left:0}
.pack>summary{grid-template-columns:1rem minmax(0,1fr) 6.2rem}.pack>summary .bar{display:none}
.rules li{grid-template-columns:1.1rem minmax(0,1fr)}.rules .num{grid-column:2;text-align:left;white-space:normal}
.label{grid-template-columns:minmax(0,1fr) 5rem 2.4rem}}
@media print{.side{position:static}.keys,nav,details.raw{display:none}.card{break-inside:avoid;box-shadow:none}}
"""
