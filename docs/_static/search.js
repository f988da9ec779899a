/* Excerpts of search results leave formulas out: a browser has drawn none of them yet. */
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const toText = Search.htmlToText;
  Search.htmlToText = (html, anchor) =>
    toText(html.replace(/<(span|div) class="math[^>]*>[^<]*<\/\1>/g, "…"), anchor);
});
