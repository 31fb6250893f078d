"""The page's theme and its few rules of CSS."""

from __future__ import annotations

import gradio as gr

FONTS = ("system-ui", "Segoe UI", "Noto Sans", "Noto Sans KR", "Noto Sans CJK KR", "sans-serif")
"""Fonts of the visitor's own machine: nothing is fetched, and Korean is covered."""

THEME = gr.themes.Default(
    primary_hue="indigo",
    secondary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    font=FONTS,
    font_mono=("ui-monospace", "Consolas", "monospace"),
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    body_text_color_subdued="*neutral_500",
    body_text_color_subdued_dark="*neutral_400",
    block_info_text_color="*neutral_500",
    block_info_text_color_dark="*neutral_400",
    block_shadow="0 1px 2px rgba(15, 23, 42, 0.06)",
    button_large_radius="*radius_md",
)

CSS = """
.gradio-container { max-width: 1440px !important; }
#heading h1 { font-size: 1.7rem; margin: 0.2rem 0 0.1rem; letter-spacing: -0.01em; }
#heading p { margin: 0; color: var(--body-text-color-subdued); max-width: 62rem; }
.section h2 { font-size: 1.2rem; margin: 1.2rem 0 0.1rem; }
.section p { margin: 0 0 0.2rem; color: var(--body-text-color-subdued); max-width: 62rem; }
.hint p { margin: 0; color: var(--body-text-color-subdued); font-size: 0.88rem; }
#status, #many-status, #video-status, #webcam-status { min-height: 2.4rem; }
.lines { display: flex; flex-direction: column; gap: 0.15rem; padding: 0.5rem 0.75rem;
  border-left: 4px solid var(--color-accent); border-radius: 4px;
  background: var(--block-background-fill); font-size: 0.93rem; line-height: 1.4; }
.lines .note { color: var(--body-text-color-subdued); }
.lines b { font-weight: 600; }
.lines progress { width: 100%; height: 0.5rem; appearance: none; border: none;
  border-radius: 4px; overflow: hidden; background: var(--border-color-primary); }
.lines progress::-webkit-progress-bar { background: var(--border-color-primary); }
.lines progress::-webkit-progress-value { background: var(--color-accent); }
.lines progress::-moz-progress-bar { background: var(--color-accent); }
.facts table { width: 100%; border-collapse: collapse; font-size: 0.9rem; margin: 0.4rem 0;
  font-variant-numeric: tabular-nums; border: none; }
.facts table th, .facts table td { border: none; text-align: left; padding: 0.28rem 0.6rem;
  border-bottom: 1px solid var(--border-color-primary); color: var(--body-text-color);
  font-weight: 400; }
.facts thead th { font-weight: 600; }
.facts p { color: var(--body-text-color-subdued); font-size: 0.88rem; }
.facts summary { cursor: pointer; padding: 0.4rem 0; font-weight: 600; }
.steps { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.8rem; }
.steps figure { margin: 0; }
.steps img { width: 100%; max-height: 16rem; object-fit: contain; border-radius: 6px; }
.steps figcaption { font-size: 0.85rem; line-height: 1.35; margin-top: 0.3rem;
  color: var(--body-text-color-subdued); }
.steps figcaption b { color: var(--body-text-color); display: block; }
@media (max-width: 900px) {
  .steps { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
#downloads, #many-files, #video-files { .label-clear-button { display: none; } }
#weights-line { align-items: center; }
@media (max-width: 640px) {
  /* The result comes before the switches of the drawing. */
  #desk > .column { display: contents; }
  #drawing { order: 1; }
  #skeleton, #field-map, #field-map-b { height: auto !important; min-height: 12rem; }
  #weights-line > * { flex: 1 1 100% !important; }
  #downloads td:last-child { display: none; }
  #downloads .filename { max-width: none; }
  #examples .gallery-item .container { width: 4.2rem; height: 4.2rem; }
  #downloads .stem { overflow: visible; white-space: normal; word-break: break-word; }
  .gradio-container main { padding: 0.6rem !important; }
  #heading h1 { font-size: 1.4rem; }
}
"""
