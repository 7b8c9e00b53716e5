"""The looks of report.html, and the script of its slider. Both are inside the page: nothing is fetched."""

STYLE = """
:root { --ink: #1f2a33; --soft: #5b6874; --line: #dde2e7; --mark: #b3203a; --pale: #f4f6f8 }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans CJK SC", sans-serif; color: var(--ink) }
main, header, footer { max-width: 1160px; margin: 0 auto; padding: 0 20px }
header { padding-top: 24px }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere }
h2 { font-size: 1.25rem; margin: 0 0 12px; padding-top: 20px; border-top: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 20px 0 8px }
p { margin: 8px 0; max-width: 75ch }
section { margin: 24px 0 }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 12px 0; font-size: .9rem }
a { color: #14609c }
.soft, small, figcaption { color: var(--soft); font-size: .875rem }
.why { background: var(--pale); border-left: 4px solid var(--line); padding: 10px 14px }
.warning { background: #fff6e5; border-left: 4px solid #e0a030; padding: 8px 14px; overflow-wrap: anywhere }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr)); gap: 14px }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px }
.tile b { display: block; font-size: 1.5rem; line-height: 1.3 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr)); gap: 18px }
.charts + .wide { margin-top: 14px }
figure { margin: 0 }
.chart svg { width: 100%; height: auto; display: block }
.chart text { font-size: 15px; fill: var(--ink) }
.chart .grid { stroke: var(--line) }
.chart b { color: var(--ink) }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 2px 0 4px }
.legend span { min-width: 0; overflow-wrap: anywhere }
.legend i { display: inline-block; width: 18px; height: 4px; margin-right: 6px; vertical-align: middle }
.wide { overflow-x: auto; max-height: 70vh; overflow-y: auto }
table { border-collapse: collapse; font-size: .9rem; min-width: 40% }
th, td { padding: 5px 12px 5px 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
th { color: var(--soft); font-weight: 600; position: sticky; top: 0; background: #fff }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: break-word }
th:first-child, td:first-child { min-width: 9em; max-width: 26em }
.words th { text-align: left }
.words td { text-align: left; white-space: normal; overflow-wrap: anywhere; vertical-align: top }
.words td:nth-child(2):not(:last-child) { overflow-wrap: normal }
.matrix { min-width: 0 }
.matrix td { text-align: center; padding: 5px 6px; min-width: 3.2em; border: 1px solid var(--line) }
.matrix thead th { vertical-align: bottom; text-align: center; padding: 4px }
.matrix thead th:first-child { text-align: left; font-weight: 400 }
.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 12em; text-align: left }
.matrix thead span { display: inline-block; text-orientation: sideways; white-space: normal; overflow-wrap: anywhere }
.matrix tbody th { text-align: left; max-width: 16em; white-space: normal; overflow-wrap: break-word; left: 0 }
.matrix tr > th:first-child { min-width: 8.5em }
.matrix th b { color: var(--ink); font-weight: 600 }
.crops { display: flex; flex-wrap: wrap; gap: 18px 16px }
.crops figure { max-width: 100%; overflow-wrap: anywhere }
.crops img { max-width: 100%; height: auto; display: block; background: var(--pale) }
.key i { display: inline-block; width: 12px; height: 12px; border: 2px solid; margin: 0 5px -1px 0 }
.slider { border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; margin: 14px 0 }
.slider input { width: 100%; height: 32px; margin: 6px 0; accent-color: var(--mark) }
.slider dl { display: grid; margin: 0; gap: 10px }
.slider dl { grid-template-columns: repeat(auto-fit, minmax(min(230px, 100%), 1fr)) }
.slider dt { color: var(--soft); font-size: .875rem }
.slider dd { margin: 0; font-weight: 600 }
pre { overflow-x: auto; background: var(--pale); padding: 10px 14px; font-size: .8rem }
footer { padding-bottom: 30px }
@media (max-width: 560px) { main, header, footer { padding-left: 14px; padding-right: 14px } }
@media (max-width: 560px) { .chart text { font-size: 22px } th, td { white-space: normal; padding-right: 9px } }
@media (max-width: 560px) { table { font-size: .82rem } }
@media (max-width: 560px) { th:first-child, td:first-child { min-width: 5.5em; max-width: 12em } }
@media print { .wide { max-height: none } nav { display: none } }
"""

SCRIPT = """
"use strict";
(function () {
  var block = document.getElementById("sweep"), slider = document.getElementById("threshold");
  if (!block || !slider) return;
  var rows = JSON.parse(block.textContent);
  function show() {
    var row = rows[Number(slider.value)];
    for (var name in row) {
      var place = document.getElementById("sweep-" + name);
      if (place) place.textContent = row[name].replace(/ %/g, "\u00a0%");
    }
    slider.setAttribute("aria-valuetext", row.threshold);
  }
  slider.addEventListener("input", show);
  show();
})();
"""
