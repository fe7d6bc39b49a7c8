// How the page looks: on a screen, in the dark, and on paper. No font and no image from anywhere.
import type { Markup } from './html.ts';

export const style: Markup = {
  markup: `<style>
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --other: #0969da; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --warn: #d29922; --bad: #f85149; --other: #58a6ff; } }
body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { white-space: nowrap; overflow-wrap: normal; } th[scope=row] { width: 6rem; }
td.ms { text-align: right; white-space: nowrap; } .bars td:first-child { min-width: 7rem; }
code { font: 12px ui-monospace, monospace; }
a { color: var(--other); } a:focus-visible, section:focus-visible, section:target { outline: 3px solid var(--other); outline-offset: 3px; }
section { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; margin: 1rem 0; break-inside: avoid; }
.bars td.track { width: 55%; padding: .2rem 0; } .track div { background: var(--soft); position: relative; height: 1.1em; }
.track span { position: absolute; top: 0; bottom: 0; min-width: 2px; background: var(--other); print-color-adjust: exact; }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 45rem; height: auto; } svg text { fill: currentColor; font-size: 11px; } svg line { stroke: var(--line); }
svg a:focus { outline: none; } svg a:focus .mark { stroke: var(--other); stroke-width: 4; }
.good { color: var(--good); fill: var(--good); } .warn { color: var(--warn); fill: var(--warn); } .bad { color: var(--bad); fill: var(--bad); } .dim { fill: currentColor; opacity: .6; }
.note { opacity: .75; } nav a { margin-right: 1rem; }
@media print { svg { min-width: 0; } body { max-width: none; font-size: 10pt; } nav { display: none; } a { color: inherit; text-decoration: none; } }
</style>`,
};
