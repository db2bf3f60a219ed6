import { expect, test, vi } from 'vitest';
import type { MessageView } from '../../api/types';
import { MAX_PENDING, Outbox } from './outbox';

type Answer = { ok: true; message: MessageView } | { ok: false; error: { message: string; retryAfterMs?: number } };

/** A connection that is there or not, and keeps what is sent until it is answered by hand. */
class Line {
  isLive = false;
  readonly sent: { text: string; answer: (late: Error | null, answer?: Answer) => void }[] = [];
  #connected = () => {};

  readonly socket = {
    timeout: () => ({
      emit: (_: string, { text }: { text: string }, answer: (late: Error | null, answer?: Answer) => void) => this.sent.push({ text, answer }),
    }),
  } as never;

  onConnect(connected: () => void): () => void {
    this.#connected = connected;
    return () => (this.#connected = () => {});
  }

  comesBack(): void {
    this.isLive = true;
    this.#connected();
  }
}

const taken: Answer = { ok: true, message: {} as MessageView };

test('what is said without a connection goes out in its order when it is back, and is gone when it is taken', () => {
  const line = new Line();
  const outbox = new Outbox(line, () => true);
  expect([outbox.say('general', 'one'), outbox.say('sales', 'two')]).toEqual([true, true]);
  expect(line.sent).toHaveLength(0);
  line.comesBack();
  expect(line.sent.map(({ text }) => text)).toEqual(['one']);
  line.sent[0]!.answer(null, taken);
  expect(line.sent.map(({ text }) => text)).toEqual(['one', 'two']);
  expect(outbox.of('general')).toHaveLength(0);
  expect(outbox.of('sales')).toHaveLength(1);
});

test('a full outbox takes nothing more and loses nothing', () => {
  const line = new Line();
  const outbox = new Outbox(line, () => true);
  for (let number = 0; number < MAX_PENDING; number++) expect(outbox.say('general', `${number}`)).toBe(true);
  expect(outbox.isFull.value).toBe(true);
  expect(outbox.say('sales', 'one too many')).toBe(false);
  expect(outbox.of('general').map(({ text }) => text)[0]).toBe('0');
  expect(outbox.of('sales')).toHaveLength(0);
  line.comesBack();
  line.sent[0]!.answer(null, taken);
  expect(outbox.isFull.value).toBe(false);
  expect(outbox.say('sales', 'now')).toBe(true);
});

test('what was refused waits for a hand, and what somebody else has said is not sent', () => {
  const line = new Line();
  let isOurs = true;
  const outbox = new Outbox(line, () => isOurs);
  outbox.say('general', 'one');
  line.comesBack();
  line.sent[0]!.answer(null, { ok: false, error: { message: 'too fast' } });
  expect(outbox.of('general')[0]?.refusal).toBe('too fast');
  line.comesBack();
  expect(line.sent).toHaveLength(1);
  outbox.retry(outbox.of('general')[0]!.key);
  expect(line.sent).toHaveLength(2);
  isOurs = false;
  line.comesBack();
  expect(outbox.of('general')).toHaveLength(0);
  expect(line.sent).toHaveLength(2);
});

test('who is told to wait sends the same again after it, and what was said meanwhile in its turn', () => {
  vi.useFakeTimers();
  const line = new Line();
  line.isLive = true;
  const outbox = new Outbox(line, () => true);
  outbox.say('general', 'one');
  line.sent[0]!.answer(null, { ok: false, error: { message: 'too fast', retryAfterMs: 300 } });
  outbox.say('general', 'two');
  vi.advanceTimersByTime(299);
  expect(line.sent).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(line.sent.map(({ text }) => text)).toEqual(['one', 'one']);
  line.sent[1]!.answer(null, taken);
  expect(line.sent.at(-1)!.text).toBe('two');
  vi.useRealTimers();
});

test('what a lost connection did not answer is sent again by the next, and its late answer changes nothing', () => {
  const line = new Line();
  line.isLive = true;
  const outbox = new Outbox(line, () => true);
  outbox.say('general', 'one');
  line.isLive = false;
  line.sent[0]!.answer(new Error('timeout'));
  expect(outbox.of('general')[0]?.refusal).toBeNull();
  line.comesBack();
  line.sent[0]!.answer(new Error('timeout'));
  expect(outbox.of('general')[0]?.refusal).toBeNull();
  line.sent[1]!.answer(null, taken);
  expect(outbox.of('general')).toHaveLength(0);
});
