/** Answers that were asked for before the program was there that uses them. Each is handed out once. */

declare global {
  interface Window {
    atlasEarly?: Map<string, Promise<Response>>;
  }
}

/** Asks now, for whoever takes the answer later. */
export function early(url: string): Promise<Response> {
  window.atlasEarly ??= new Map();
  const answer = fetch(url, { credentials: "same-origin", headers: { Accept: "application/json, */*" } });
  answer.catch(() => {});
  window.atlasEarly.set(url, answer);
  return answer;
}

export const kept = (url: string): boolean => Boolean(globalThis.window?.atlasEarly?.has(url));

/** The answer that was asked for early, if there is one and it came; whoever gets null asks themselves. */
export async function taken(url: string): Promise<Response | null> {
  const answer = globalThis.window?.atlasEarly?.get(url);
  if (!answer) return null;
  window.atlasEarly?.delete(url);
  try {
    const got = await answer;
    return got.ok ? got : null;
  } catch {
    return null;
  }
}
