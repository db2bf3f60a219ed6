/** Why something was refused: an RFC 9457 problem document, or no answer at all. */

/** `status` 0: the server did not answer. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string = '',
    readonly retryAfterS: number | null = null,
  ) {
    super(`${status} ${title}: ${detail}`);
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The problem that a refusing answer stands for, also when a proxy wrote it and there is no document. */
export async function problemOf(answer: Response): Promise<Problem> {
  const type = answer.headers.get('Content-Type') ?? '';
  const said: unknown = type.includes('json') ? await answer.json().catch(() => null) : null;
  const member = (name: string) => {
    const value = said && typeof said === 'object' ? (said as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const retryAfterS = Number(answer.headers.get('Retry-After') ?? NaN);
  return new Problem(
    answer.status,
    member('title') || answer.statusText || `HTTP ${answer.status}`,
    member('detail'),
    member('requestId') || (answer.headers.get('X-Request-Id') ?? ''),
    Number.isFinite(retryAfterS) ? retryAfterS : null,
  );
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, 'No answer', String(error));
}
