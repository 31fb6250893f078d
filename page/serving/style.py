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
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_400",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_400",
    block_title_text_color="*neutral_700",
    block_label_text_color="*neutral_700",
    block_label_text_color_dark="*neutral_200",
    block_shadow="none",
    block_padding="8px 10px",
    layout_gap="10px",
    form_gap_width="0px",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_hover_dark="*primary_700",
    button_primary_text_color="white",
    button_large_radius="*radius_md",
    button_large_padding="8px 16px",
    color_accent="*primary_700",
    link_text_color="*primary_700",
    link_text_color_dark="*primary_300",
)

CSS = """
.gradio-container { max-width: 1576px !important; word-break: keep-all; overflow-wrap: anywhere; }
.gradio-container .main.fillable { padding: 4px 20px 24px !important; }
#heading .prose { display: flex; align-items: baseline; gap: 0.9rem; flex-wrap: wrap; }
#heading h1 { font-size: 1.25rem; margin: 0.25rem 0; letter-spacing: -0.01em; }
#heading p { margin: 0; color: var(--body-text-color-subdued); font-size: 0.9rem; }
#tabs > .tabitem { padding: 6px 0 0; border: none; }
#tabs > .tab-wrapper button.selected { color: var(--link-text-color); }
#tabs > .tab-wrapper { height: 40px; padding-bottom: 0; }
#desk { flex-wrap: nowrap; gap: 16px; }
#rail { flex: 0 0 320px; gap: 10px; }
#stage { flex: 1 1 0; min-width: 0 !important; gap: 8px; }
#canvas-head { align-items: center; flex-wrap: nowrap; gap: 10px; min-height: 36px; }
#canvas-head #status { flex: 1 1 0; min-width: 0; min-height: 0; }
#downloads { flex: 0 0 190px; gap: 2px; }
#download-link { font-size: 0.85rem; }
#canvas { --tall: clamp(320px, calc(100vh - 292px), 760px); gap: 0; }
#canvas .block { height: var(--tall) !important; background: var(--background-fill-secondary); }
#canvas #pose-editor { height: auto !important; padding: 10px; overflow: visible; }
#canvas .block img { width: 100%; height: 100%; object-fit: contain;
  max-height: none !important; background: none !important; }
#canvas .block .image-container, #canvas .block .image-frame, #canvas .block .image-frame > *,
#canvas .block button.selectable { height: 100%; width: 100%; }
body:has(#status .stale) #canvas img { opacity: 0.45; filter: grayscale(1); }
.min_value, .max_value { white-space: nowrap; }
.segments label { gap: 0 !important; }
.segments label span { margin: 0 !important; }
.segments .wrap { gap: 6px; flex-wrap: wrap; }
.segments label { padding: 5px 11px; border-radius: 6px; }
.segments input { position: absolute; opacity: 0; width: 1px; height: 1px; pointer-events: none; }
.segments label:has(input:focus-visible) { outline: 2px solid var(--color-accent); }
.segments label.selected { background: var(--button-primary-background-fill);
  color: white; border-color: transparent; }
#preset label { flex: 1 1 0; justify-content: center; padding: 5px 4px; }
#examples .gallery { gap: 6px; }
#examples .gallery-item .container { width: 70px; height: 48px; max-height: 48px; }
#examples .gallery-item img { width: 100%; height: 100%; object-fit: cover; }
#phone-photo { display: none; }
.controls { gap: 8px; }
#stage > .hidden, #stage > .hide, #stage > .controls:not(:has(.block:not(.hidden))) {
  display: none !important; }
.legend { display: flex; align-items: center; flex-wrap: wrap; gap: 8px 14px; font-size: 0.88rem;
  padding: 2px 4px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.legend i { display: inline-block; width: 14px; height: 14px; border-radius: 4px; }
.legend .bar { width: 140px; height: 12px; }
.legend .inferno { background: linear-gradient(90deg, #000004, #420a68, #932667, #dd513a, #fca50a,
  #fcffa4); }
.legend .plasma { background: linear-gradient(90deg, #0d0887, #7e03a8, #cc4778, #f89540, #f0f921); }
.legend .wheel { width: 28px; height: 28px; border-radius: 50%;
  background: conic-gradient(from 90deg, red, yellow, lime, cyan, blue, magenta, red); }
.hint p { margin: 0; color: var(--body-text-color-subdued); font-size: 0.88rem; }
#many-status, #video-status, #webcam-status { min-height: 2.4rem; }
.lines { display: flex; flex-direction: column; gap: 0.15rem; padding: 0.35rem 0.6rem;
  border-left: 4px solid var(--color-accent); border-radius: 4px;
  background: var(--block-background-fill); font-size: 0.93rem; line-height: 1.4; }
.lines .problem { color: var(--error-text-color, #b91c1c); }
.dark .lines .problem { color: #fca5a5; }
.lines .stale { font-weight: 600; color: var(--body-text-color); }
.more { display: inline-block; position: relative; }
.more summary { display: inline-block; list-style: none; cursor: pointer; width: 1.35em;
  height: 1.35em; line-height: 1.35em; text-align: center; border-radius: 50%; font-size: 0.85em;
  border: 1px solid currentColor; }
.more .card { position: absolute; z-index: 20; left: 0; top: 1.8em; width: max-content;
  max-width: min(420px, 80vw); display: flex; flex-direction: column; gap: 4px; padding: 8px 12px;
  background: var(--background-fill-primary); border: 1px solid var(--border-color-primary);
  border-radius: 6px; font-size: 0.85rem; }
#status, #status .html-container, #canvas-head { overflow: visible !important; }
.lines .note { color: var(--body-text-color-subdued); }
.lines b { font-weight: 600; }
.lines progress { width: 100%; height: 0.5rem; appearance: none; border: none;
  border-radius: 4px; overflow: hidden; background: var(--border-color-primary); }
.lines progress::-webkit-progress-bar { background: var(--border-color-primary); }
.lines progress::-webkit-progress-value { background: var(--color-accent); }
.lines progress::-moz-progress-bar { background: var(--color-accent); }
.facts table { width: 100%; border-collapse: collapse; font-size: 0.9rem; margin: 0.4rem 0;
  font-variant-numeric: tabular-nums; border: none !important; }
.facts table th, .facts table td { border: none; text-align: left; padding: 0.28rem 0.6rem;
  border-bottom: 1px solid var(--border-color-primary); color: var(--body-text-color);
  font-weight: 400; }
.facts table tr { border: none !important; }
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
#curves .facts :is(th, td) { white-space: nowrap; }
.curve { position: relative; cursor: crosshair; }
.curve img { width: 100%; display: block; }
.curve i { position: absolute; top: 6%; bottom: 14%; width: 2px; background: var(--color-accent);
  pointer-events: none; }
#many-files, #video-files { .label-clear-button { display: none; } }
/* Only what is seen is mirrored: the network gets the camera's own frames. */
#webcam-in video, #webcam-out img { transform: scaleX(-1); object-fit: contain; }
#webcam-in video { width: 100%; height: 100%; }
#webcam-out:not(:has(img)), #video-frame:not(:has(img)) { display: none; }
#webcam-view:has(#webcam-out img) > #webcam-in { height: 4.6rem !important; border-style: none; }
#webcam-view:has(#webcam-out img) #webcam-in :is(video, label) { opacity: 0; }
#weights-line { align-items: center; }
@media (max-width: 640px) {
  .gradio-container .main.fillable { padding: 4px 12px 84px !important; }
  #heading p { display: none; }
  #tabs > .tab-wrapper { overflow-x: auto; overflow-y: hidden; }
  #tabs > .tab-wrapper .tab-container { flex-wrap: nowrap; overflow: visible; }
  #tabs > .tab-wrapper button { flex: 0 0 auto; padding: 0 10px; }
  #desk { flex-direction: column; gap: 8px; }
  #rail, #stage { flex: 1 1 auto; width: 100%; }
  #stage { order: -1; }
  #input-image { display: none; }
  #canvas { --tall: 360px; order: -3; }
  #canvas-head { display: contents; }
  #views { order: -2; }
  #stage:has(#pose-editor:not(.hidden)) #views { order: -4; }
  #canvas-head #status { order: -1; flex: 0 0 auto; }
  #views .wrap { flex-wrap: nowrap; overflow-x: auto; }
  #views label { flex: 0 0 auto; }
  #bar { position: fixed; z-index: 30; left: 0; right: 0; bottom: 0; padding: 10px 12px;
    flex-wrap: nowrap; background: var(--background-fill-primary);
    border-top: 1px solid var(--border-color-primary); padding-right: 118px; }
  #phone-photo { display: flex; flex: 1 1 0; }
  #bar #run { flex: 2 1 0; white-space: nowrap; }
  #downloads { position: fixed; z-index: 31; right: 12px; bottom: 12px; width: 98px;
    min-width: 0 !important; }
  #downloads .icon-wrap { display: none; }
  #downloads .wrap-inner { padding-inline: 2px; }
  #downloads input { text-align: center; font-size: 0.85rem; padding-inline: 0 !important; }
  #download-link { position: absolute; bottom: 3.2rem; right: 0; }
  #webcam-out, #webcam-in { height: 18rem !important; }
  #video-out, #video-frame { height: auto !important; max-height: 26rem; }
  #curves { overflow-x: auto; }
  #curves :is(.curve, .facts) { min-width: 32rem; }
  .steps { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
"""
