const bare = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/đ/gi, "d").toLowerCase();
const body = document.querySelector("tbody"), rows = [...body.rows], count = document.getElementById("count");
document.getElementById("search").addEventListener("input", event => {
  const wanted = bare(event.target.value.trim());
  let shown = 0;
  for (const row of rows) { row.hidden = !row.dataset.bare.includes(wanted); shown += !row.hidden; }
  count.textContent = shown + "/" + rows.length;
});
document.querySelectorAll("th button").forEach((button, column) => button.addEventListener("click", () => {
  const head = button.closest("th"), down = head.getAttribute("aria-sort") === "ascending";
  document.querySelectorAll("th[aria-sort]").forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = row => row.cells[column].dataset.value;
  const order = new Intl.Collator("vi", {numeric: true}).compare;
  rows.sort((a, b) => (down ? -1 : 1) * (column === 0 || column === 3 ? order(value(a), value(b)) : value(a) - value(b)));
  body.append(...rows);
}));
