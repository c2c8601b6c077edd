/** Where a project reads in the open: the other readers of this case, to go to and fro between. */
import type { Read } from "../api/types";
import { t } from "../words";

export function Fellows({ read }: { read: Read }) {
  const fellows = read.fellows ?? [];
  if (fellows.length < 2) return null;
  return (
    <nav className="row tight" aria-label={t("Readers of this case")} data-testid="fellows">
      <span className="faint">{t("Read in the open")}</span>
      {fellows.map((one) =>
        one.read === read.id ? (
          <b key={one.read} aria-current="page">
            {one.is_yours ? t("You") : one.name}
          </b>
        ) : (
          <a key={one.read} href={one.url}>
            {one.is_yours ? t("You") : one.name}
          </a>
        ),
      )}
    </nav>
  );
}
