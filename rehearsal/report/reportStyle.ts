/** Style of the HTML report, light and dark. The colours of data are steps of one hue per meaning. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f6f4; --card: #fff; --ink: #16181d; --soft: #5b606b; --line: #e2e2de;
  --axis: #a9adb5; --preview: #9cc2ee; --up: #2a6fc4; --ok: #2a6fc4; --failed: #c8372d; --outage: #f7d9d5; --good: #1a7f46; }
@media (prefers-color-scheme: dark) { :root { --page: #121316; --card: #1b1d21; --ink: #eceef2; --soft: #a2a8b4; --line: #30333a;
  --axis: #6a707c; --preview: #2f5c93; --up: #5f9fe8; --ok: #5f9fe8; --failed: #f0766b; --outage: #4a2523; --good: #4cc38a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 64px; }
header { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: center; justify-content: space-between; }
h1 { font-size: 24px; line-height: 1.25; margin: 0; }
h2 { font-size: 17px; margin: 0 0 8px; }
h3 { font-size: 14px; margin: 16px 0 4px; color: var(--soft); font-weight: 600; }
p { margin: 0 0 10px; color: var(--soft); }
.verdict { margin: 0; padding: 4px 16px; border-radius: 999px; border: 2px solid; font-weight: 700; text-transform: uppercase; letter-spacing: .04em; }
.passed { color: var(--good); } .failed-run, .bad { color: var(--failed); }
section, .tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
section { padding: 18px 20px; margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 12px; margin: 20px 0 0; }
.tiles > div { padding: 14px 16px; display: flex; flex-direction: column; }
.tiles dd { margin: 0; font-size: 24px; font-weight: 650; } .tiles dt { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 13px; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; } summary h2 { display: inline; }
details[open] summary { margin-bottom: 8px; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 8px; padding: 0; font-size: 13px; color: var(--soft); }
.key li { display: flex; gap: 6px; align-items: center; }
section > svg { display: block; width: 100%; height: auto; }
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); }
text.tick { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); } .axis { stroke: var(--axis); }
.preview { fill: var(--preview); } .up { fill: var(--up); }
.ok { fill: var(--ok); } .failed { fill: var(--failed); } .outage { fill: var(--outage); }
.event { fill: var(--card); stroke: var(--up); stroke-width: 1.5; } .event.done { fill: var(--up); stroke: var(--card); }
.event.bad { fill: var(--failed); stroke: var(--card); }
@media print { section { break-inside: avoid; } }
`;
