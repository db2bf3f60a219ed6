/** Why something was refused: an RFC 9457 problem document, or no answer at all. */

/** One field that makes no sense, as the server spells it, with why. */
export interface FieldFlaw {
  field: string;
  message: string;
}

/** What a problem document may say beside its sentence. */
export interface ProblemMore {
  /** 403: the least role that may do it. */
  neededRole?: string;
  /** 409: the record as it stands now. */
  current?: unknown;
  /** 422: the fields that make no sense. */
  errors?: readonly FieldFlaw[];
  /** 503 while writing is switched off. */
  maintenance?: { message: string; until: string | null };
}

/** `status` 0: the server did not answer. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string = '',
    readonly retryAfterS: number | null = null,
    readonly more: ProblemMore = {},
  ) {
    super(`${status} ${title}: ${detail}`);
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether somebody else was faster: `more.current` is then what stands. */
  get isConflict(): boolean {
    return this.status === 409 && this.more.current !== undefined && this.more.current !== null;
  }
}

/** The problem that a refusing answer stands for, also when a proxy wrote it and there is no document. */
export async function problemOf(answer: Response): Promise<Problem> {
  const type = answer.headers.get('Content-Type') ?? '';
  const said: unknown = type.includes('json') ? await answer.json().catch(() => null) : null;
  const document = said && typeof said === 'object' ? (said as Record<string, unknown>) : {};
  const member = (name: string) => (typeof document[name] === 'string' ? document[name] : '');
  const retryAfterS = Number(answer.headers.get('Retry-After') ?? NaN);
  return new Problem(
    answer.status,
    member('title') || answer.statusText || `HTTP ${answer.status}`,
    member('detail'),
    member('requestId') || (answer.headers.get('X-Request-Id') ?? ''),
    Number.isFinite(retryAfterS) ? retryAfterS : null,
    document as ProblemMore,
  );
}

/** What the page itself refuses before it asks the server: one field that makes no sense. */
export function flaw(field: string, message: string): Problem {
  return new Problem(422, message, '', '', null, { errors: [{ field, message }] });
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, 'No answer', String(error));
}
