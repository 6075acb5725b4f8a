// showTides replaces the table's rows by those of the JSON file that it names.
export async function showTides(table) {
  const answer = await fetch(table.dataset.tides);
  if (!answer.ok) throw new Error(`tides: ${answer.status}`);
  const { tides } = await answer.json();
  const rows = tides.map(({ kind, time, metres }) => {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = kind === "high" ? "High water" : "Low water";
    row.append(name);
    for (const text of [time, `${metres.toFixed(1)} m`]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  table.tBodies[0].replaceChildren(...rows);
}
