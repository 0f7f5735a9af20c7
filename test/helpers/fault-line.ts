/** How a fault test says what it measured: one line, as the README's table of faults has it. */
export const tellFault = (fault: string, measured: string): void =>
  console.log(`fault | ${fault} | ${measured}`);
