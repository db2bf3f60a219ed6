/**
 * Counters that the server tells as they stand, remembered by this page, so that it can draw their rates.
 *
 * Kept across moves between pages, for the last minutes; a counter that fell began anew with its server.
 */

import { signal, type Signal } from '@preact/signals';

const KEPT = 240;

interface Sample {
  at: number;
  counters: readonly number[];
}

const series = new Map<string, Signal<readonly Sample[]>>();

function of(name: string): Signal<readonly Sample[]> {
  let found = series.get(name);
  if (!found) series.set(name, (found = signal<readonly Sample[]>([])));
  return found;
}

/** Note how the counters of `name` stand now. */
export function keepSample(name: string, counters: readonly number[], at = Date.now() / 1000): void {
  const kept = of(name);
  kept.value = [...kept.peek(), { at, counters }].slice(-KEPT);
}

export interface Rates {
  times: number[];
  /** A second, one list for each counter. */
  rates: (number | null)[][];
  /** As they stood. */
  counters: number[][];
}

export function useSamples(name: string): Rates {
  return ratesOf(of(name).value);
}

/** Differences by the time between; null where a counter fell. Pure. */
export function ratesOf(samples: readonly Sample[]): Rates {
  const steps = samples.slice(1).map((sample, index) => ({ sample, before: samples[index] ?? sample }));
  const width = samples[0]?.counters.length ?? 0;
  const lists = <T>(pick: (step: (typeof steps)[number], counter: number) => T) => Array.from({ length: width }, (_, counter) => steps.map((step) => pick(step, counter)));
  return {
    times: steps.map(({ sample }) => Math.round(sample.at)),
    rates: lists(({ sample, before }, counter) => {
      const by = (sample.counters[counter] ?? 0) - (before.counters[counter] ?? 0);
      return by < 0 ? null : by / Math.max(0.5, sample.at - before.at);
    }),
    counters: lists(({ sample }, counter) => sample.counters[counter] ?? 0),
  };
}
