/** Numbers as answers. */
import type { Question } from "../api/types";
import { t } from "../words";

/** Why a number that was typed can't be the answer; null where it can. */
export function whyNoNumber(text: string, { least, most }: Pick<Question, "least" | "most">): string | null {
  const number = Number(text.replace(",", "."));
  if (!Number.isFinite(number) || Math.abs(number) > 1e12) return t("This is not a number.");
  if (least !== null && number < least) return t("At least {least}.", { least });
  if (most !== null && number > most) return t("At most {most}.", { most });
  return null;
}
