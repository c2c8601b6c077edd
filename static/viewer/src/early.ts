/**
 * Loaded ahead of the room's program, which is large: asks for what the case opens with while that is on its way.
 * `api/early.ts` hands the answers out. What fails here is asked for again by the room, which says what is wrong.
 */
import { early, kept } from "./api/early";
import type { Manifest, Read } from "./api/types";
import { middleOf } from "./engine/stacks";

/** Panes whose manifests are fetched; the image of the first. */
const PANES = 4;

async function ask<T>(url: string): Promise<T> {
  const answer = await early(url);
  return answer.clone().json() as Promise<T>;
}

async function begin(address: string): Promise<void> {
  const { hanging, studies } = await ask<Read>(address);
  const rows = studies.flatMap((study) => study.series);
  const filled = hanging?.panes.filter((pane) => pane.series) ?? [];
  const opening = filled.slice(0, PANES).map(async ({ series, frame }, place) => {
    const row = rows.find(({ id }) => id === series);
    if (!row || kept(row.manifest)) return;
    const manifest = await ask<Manifest>(row.manifest);
    if (place > 0) return;
    void early(`/pixels/${row.id}/${manifest.generation}/${frame ?? middleOf(manifest)}`);
  });
  await Promise.all(opening);
}

const [, read] = /^\/reads\/([^/]+)\/$/.exec(location.pathname) ?? [];
const [, study] = /^\/access\/studies\/([^/]+)\/$/.exec(location.pathname) ?? [];
const address = read ? `/api/v1/reads/${read}/` : study ? `/api/v1/access/studies/${study}/` : null;
if (address) void begin(address).catch(() => {});
