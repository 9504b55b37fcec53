import { CommandLine } from "../command_line.ts";
import { markdownTable } from "../../table.ts";
import { CASE_OPTIONS, HELP, readCases } from "./options.ts";
import {
  agreementTable,
  raterAgreement,
} from "../../evaluation/rater_agreement.ts";

/** `deno task evaluate agreement`: how the raters of a dataset agree. */
export async function agreementCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine("compare the raters", args, {
    values: CASE_OPTIONS,
  });
  if (line.has("help")) return console.log(HELP);
  const dataset = await readCases(line);
  const agreements = await raterAgreement(dataset);
  if (agreements.length === 0) {
    throw line.refuse(
      "a case must have masks of two raters at least",
      `none in ${dataset.name}`,
    );
  }
  console.log(`${dataset.name}: ${dataset.cases.length} cases\n`);
  console.log(markdownTable(agreementTable(agreements)));
}
