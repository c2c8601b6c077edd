/** Spanish. Every text of the room has an entry: tests/words.test.ts names those that are missing. */
import { adjudication } from "./es/adjudication";
import { commands } from "./es/commands";
import { dialogs } from "./es/dialogs";
import { flow } from "./es/flow";
import { images } from "./es/images";
import { labels } from "./es/labels";
import { leases } from "./es/leases";
import { masks } from "./es/masks";
import { panels } from "./es/panels";
import { panes } from "./es/panes";
import { review } from "./es/review";
import { screen } from "./es/screen";
import type { Catalogue } from "./index";

export const es: Catalogue = {
  ...adjudication,
  ...commands,

  ...dialogs,
  ...flow,
  ...images,
  ...labels,
  ...leases,
  ...masks,
  ...panels,
  ...panes,
  ...review,
  ...screen,
};
