/** As what a proposal is taken over. */
import type { AnnotationValue, Imported, Label } from "../api/types";

const ENCLOSING = ["polygon", "ellipse"];

/**
 * Its own kind where a label allows it, else a mask where it encloses an area; its own label first, then the
 * chosen one, then the first that does. Null where no label takes it: it can only be looked at.
 */
export function takenAs(
  labels: Pick<Label, "key" | "kinds">[],
  chosen: string | null,
  { kind, label }: Pick<Imported, "kind" | "label">,
): { kind: AnnotationValue["kind"]; label: string } | null {
  const kinds = [kind, ...(ENCLOSING.includes(kind) ? ["segment"] : [])] as AnnotationValue["kind"][];
  const first = (key: string | null) => labels.filter((one) => one.key === key);
  for (const tried of [first(label), [...first(chosen), ...labels]]) {
    for (const wanted of kinds) {
      const found = tried.find((one) => one.kinds.includes(wanted));
      if (found) return { kind: wanted, label: found.key };
    }
  }
  return null;
}
