// How the page looks: on a screen, in the dark, and on paper. No font and no image from anywhere.
import type { Markup } from './html.ts';

export const style: Markup = {
  markup: `<style>
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --other: #0969da; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --warn: #d29922; --bad: #f85149; --other: #58a6ff; } }
body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; word-break: normal; }
th { white-space: nowrap; overflow-wrap: normal; } th[scope=row] { width: 6rem; }
td[data-name=time], td[data-name=what], td[data-name=call] { white-space: nowrap; } td.ms { text-align: right; white-space: nowrap; } .bars td:first-child { min-width: 7rem; }
code { font: 12px ui-monospace, monospace; }
a { color: var(--other); } a:focus-visible, section:focus-visible, section:target { outline: 3px solid var(--other); outline-offset: 3px; }
section { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; margin: 1rem 0; break-inside: avoid; }
.bars td.track { width: 55%; padding: .2rem 0; } .track div { background: var(--soft); position: relative; height: 1.1em; }
.track span { position: absolute; top: 0; bottom: 0; min-width: 2px; background: var(--other); print-color-adjust: exact; }
.chart { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .8rem .6rem; }
.row { padding: .4rem 0; border-bottom: 1px solid var(--line); break-inside: avoid; } .row h4 { margin: 0 0 .2rem; font-size: .95rem; overflow-wrap: anywhere; }
.band, .lane, .marks { position: relative; height: 1.35rem; } .band > div, .lane > div { position: absolute; top: 0; bottom: 0; box-sizing: border-box; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 12px; line-height: 1.35rem; padding: 0 .3rem; print-color-adjust: exact; }
.lane { height: 1.2rem; margin-top: .15rem; } .lane > div { line-height: 1.2rem; border-left: 3px solid var(--warn); background: var(--soft); } .lane > .freeze { border-color: var(--other); }
.marks { height: 1.5rem; } .marks a { position: absolute; top: .1rem; width: 1.3rem; height: 1.3rem; margin-left: -.65rem; } .marks svg { width: 100%; height: 100%; display: block; } .marks a.order { top: .2rem; opacity: .9; } .mark.order { fill: var(--other); }
.marks a:focus { outline: none; } .marks a:focus .mark { stroke: currentColor; stroke-width: 2.5; }
.row ul { margin: .2rem 0 0; padding-left: 1.1rem; font-size: 13px; } .id { display: inline-block; max-width: 100%; }
.axis { display: flex; justify-content: space-between; font-size: 12px; opacity: .75; padding-top: .3rem; font-variant-numeric: tabular-nums; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1rem; } .key i { display: inline-block; width: 1em; height: 1em; margin-right: .35em; vertical-align: -.12em; print-color-adjust: exact; }
.n0 { background: #0969da55; } .n1 { background: #bf870066; } .n2 { background: #1a7f3755; } .n3 { background: #8250df55; } .n4 { background: #cf222e44; } .n5 { background: #57606a66; } .none { background: repeating-linear-gradient(45deg, var(--soft) 0 6px, transparent 6px 12px); }
.good { color: var(--good); fill: var(--good); } .warn { color: var(--warn); fill: var(--warn); } .bad { color: var(--bad); fill: var(--bad); } .dim { fill: currentColor; opacity: .6; }
.note { opacity: .75; } nav a { margin-right: 1rem; }
@media (max-width: 46rem) {
.stack thead, .bars thead { display: none; } .stack, .stack tbody, .stack tr, .stack td, .stack caption { display: block; } .stack tr { border-bottom: 1px solid var(--line); padding: .4rem 0; }
.stack td { border: 0; padding: .05rem 0 .05rem 4.2rem; position: relative; min-height: 1.4em; } .stack td::before { content: attr(data-name); position: absolute; left: 0; opacity: .75; } .stack td:empty { display: none; }
.bars, .bars tbody, .bars caption { display: block; } .bars tr { display: grid; grid-template-columns: 1fr 3.6rem 3.6rem; border-bottom: 1px solid var(--line); } .bars td { border: 0; } .bars td.track { width: auto; grid-column: 1 / -1; }
.facts th[scope=row] { width: 5rem; } section { padding: .6rem; } body { padding: .6rem; }
}
@media print { body { max-width: none; font-size: 10pt; } nav { display: none; } a { color: inherit; text-decoration: none; } }
</style>`,
};
