/** Who judged how many documents, and what of: the account of a run with many judges. */

/** A row of the account. */
export type JudgeRow = {
  readonly judge: string;
  readonly documents: number;
  readonly complaints: number;
};

/** Complaints kept in full for each judge; the others are only counted. */
const KEPT_EACH = 20;
const LONGEST = 300;

/** Collects verdicts. */
export class Judgement {
  readonly #rows = new Map<string, { documents: number; complaints: number; kept: string[] }>();

  /** Lets a judge look at `documents` documents; what it throws is a complaint too. */
  judge(
    judge: string,
    document: string,
    verdict: () => readonly string[],
    { documents = 1 }: { documents?: number } = {},
  ): void {
    let complaints: readonly string[];
    try {
      complaints = verdict();
    } catch (error) {
      complaints = [String(error)];
    }
    this.note(judge, document, { complaints, documents });
  }

  /** Notes what a judge said. */
  note(
    judge: string,
    document: string,
    { complaints = [], documents = 1 }: { complaints?: readonly string[]; documents?: number } = {},
  ): void {
    const row = this.#rows.get(judge) ?? { documents: 0, complaints: 0, kept: [] };
    this.#rows.set(judge, row);
    row.documents += documents;
    row.complaints += complaints.length;
    for (const complaint of complaints)
      if (row.kept.length < KEPT_EACH)
        row.kept.push(`${judge}: ${document}: ${complaint.slice(0, LONGEST)}`);
  }

  get rows(): readonly JudgeRow[] {
    return [...this.#rows].map(([judge, { documents, complaints }]) => ({
      judge,
      documents,
      complaints,
    }));
  }

  /** The first complaints of every judge. */
  get complaints(): readonly string[] {
    return [...this.#rows.values()].flatMap(({ kept }) => kept);
  }
}

/** The account as a table for a log. */
export const describeJudgement = (judgement: Judgement): string =>
  [
    `  ${'judge'.padEnd(34)}${'documents'.padStart(10)}${'complaints'.padStart(12)}`,
    ...judgement.rows.map(
      ({ judge, documents, complaints }) =>
        `  ${judge.padEnd(34)}${String(documents).padStart(10)}${String(complaints).padStart(12)}`,
    ),
  ].join('\n');
