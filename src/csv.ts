/** Rows as CSV, a field quoted where it has to be (RFC 4180). */
export function csvText(
  rows: readonly (readonly (string | number)[])[],
): string {
  return rows.map((fields) => `${fields.map(quote).join(",")}\n`).join("");
}

function quote(field: string | number): string {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
