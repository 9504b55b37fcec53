import process from "node:process";

/**
 * Starts to count this process's own work. A bound on it holds on a machine that
 * is busy with others, where one on the time that passed does not.
 *
 * @returns Gives the milliseconds of processor time since.
 */
export function startCpuTime(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}
